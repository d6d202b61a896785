// Original file: proto/implicam/v1/training.proto

import type { HeldSnapshot as _implicam_v1_HeldSnapshot, HeldSnapshot__Output as _implicam_v1_HeldSnapshot__Output } from '../../implicam/v1/HeldSnapshot.js';
import type { DeviceLink as _implicam_v1_DeviceLink, DeviceLink__Output as _implicam_v1_DeviceLink__Output } from '../../implicam/v1/DeviceLink.js';
import type { Long } from '@grpc/proto-loader';

export interface Hello {
  /**
   * Made anew by every runner process.
   */
  'runner'?: (string);
  /**
   * host:port where peers and the coordinator reach this runner's own services.
   */
  'address'?: (string);
  /**
   * Version of the program: runners of another version are turned away.
   */
  'version'?: (string);
  /**
   * What makes its bits, "native avx2": runners of different engines never share a session.
   */
  'engine'?: (string);
  'device'?: (string);
  /**
   * Memory that sessions may take, in bytes.
   */
  'memoryBytes'?: (number | string | Long);
  /**
   * Steps a second of a small fixed training, measured at start: how fast this runner is beside others.
   */
  'stepRate'?: (number | string);
  'draining'?: (boolean);
  /**
   * Snapshots that outlived an earlier stream.
   */
  'snapshots'?: (_implicam_v1_HeldSnapshot)[];
  /**
   * Not set: its gradients go through its processor.
   */
  'deviceLink'?: (_implicam_v1_DeviceLink | null);
}

export interface Hello__Output {
  /**
   * Made anew by every runner process.
   */
  'runner': (string);
  /**
   * host:port where peers and the coordinator reach this runner's own services.
   */
  'address': (string);
  /**
   * Version of the program: runners of another version are turned away.
   */
  'version': (string);
  /**
   * What makes its bits, "native avx2": runners of different engines never share a session.
   */
  'engine': (string);
  'device': (string);
  /**
   * Memory that sessions may take, in bytes.
   */
  'memoryBytes': (number);
  /**
   * Steps a second of a small fixed training, measured at start: how fast this runner is beside others.
   */
  'stepRate': (number);
  'draining': (boolean);
  /**
   * Snapshots that outlived an earlier stream.
   */
  'snapshots': (_implicam_v1_HeldSnapshot__Output)[];
  /**
   * Not set: its gradients go through its processor.
   */
  'deviceLink': (_implicam_v1_DeviceLink__Output | null);
}
