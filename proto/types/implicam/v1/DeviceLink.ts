// Original file: proto/implicam/v1/coordination.proto


/**
 * Where a runner's device is: needed to decide whether gradients can go from device to device.
 */
export interface DeviceLink {
  /**
   * The machine; changes when it reboots.
   */
  'node'?: (string);
  /**
   * The device on that machine.
   */
  'device'?: (string);
  /**
   * Of NCCL, which carries them: 10000 · major + 100 · minor + patch.
   */
  'version'?: (number);
}

/**
 * Where a runner's device is: needed to decide whether gradients can go from device to device.
 */
export interface DeviceLink__Output {
  /**
   * The machine; changes when it reboots.
   */
  'node': (string);
  /**
   * The device on that machine.
   */
  'device': (string);
  /**
   * Of NCCL, which carries them: 10000 · major + 100 · minor + patch.
   */
  'version': (number);
}
