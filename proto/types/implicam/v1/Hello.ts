// Original file: proto/implicam/v1/coordination.proto

import type { HeldSnapshot as _implicam_v1_HeldSnapshot, HeldSnapshot__Output as _implicam_v1_HeldSnapshot__Output } from '../../implicam/v1/HeldSnapshot.js';
import type { DeviceLink as _implicam_v1_DeviceLink, DeviceLink__Output as _implicam_v1_DeviceLink__Output } from '../../implicam/v1/DeviceLink.js';
import type { Long } from '@grpc/proto-loader';

export interface Hello {
  /**
   * A new one for every runner process.
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
   * What its bits depend on, such as "native avx2": runners of different engines never share a training.
   */
  'engine'?: (string);
  'device'?: (string);
  /**
   * Memory that its trainings may use, in bytes.
   */
  'memoryBytes'?: (number | string | Long);
  /**
   * Steps per second of a small fixed training, measured at start: the speed of this runner relative to others.
   */
  'stepRate'?: (number | string);
  'draining'?: (boolean);
  /**
   * Snapshots that are still in memory from an earlier stream.
   */
  'snapshots'?: (_implicam_v1_HeldSnapshot)[];
  /**
   * Not set: its gradients go through its CPU.
   */
  'deviceLink'?: (_implicam_v1_DeviceLink | null);
}

export interface Hello__Output {
  /**
   * A new one for every runner process.
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
   * What its bits depend on, such as "native avx2": runners of different engines never share a training.
   */
  'engine': (string);
  'device': (string);
  /**
   * Memory that its trainings may use, in bytes.
   */
  'memoryBytes': (number);
  /**
   * Steps per second of a small fixed training, measured at start: the speed of this runner relative to others.
   */
  'stepRate': (number);
  'draining': (boolean);
  /**
   * Snapshots that are still in memory from an earlier stream.
   */
  'snapshots': (_implicam_v1_HeldSnapshot__Output)[];
  /**
   * Not set: its gradients go through its CPU.
   */
  'deviceLink': (_implicam_v1_DeviceLink__Output | null);
}
