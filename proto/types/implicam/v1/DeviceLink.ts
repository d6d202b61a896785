// Original file: proto/implicam/v1/training.proto


/**
 * Where a runner's device is: what it takes for gradients to go from device to device.
 */
export interface DeviceLink {
  /**
   * The machine, until it is started anew.
   */
  'node'?: (string);
  /**
   * The device among all of the machine.
   */
  'device'?: (string);
  /**
   * Of NCCL, which carries them: 10000 · major + 100 · minor + patch.
   */
  'version'?: (number);
}

/**
 * Where a runner's device is: what it takes for gradients to go from device to device.
 */
export interface DeviceLink__Output {
  /**
   * The machine, until it is started anew.
   */
  'node': (string);
  /**
   * The device among all of the machine.
   */
  'device': (string);
  /**
   * Of NCCL, which carries them: 10000 · major + 100 · minor + patch.
   */
  'version': (number);
}
