// Original file: proto/implicam/v1/training.proto

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
   * Name of the engine, and what the same bits can be expected from: "native avx2". A session stays on one kind.
   */
  'engine'?: (string);
  'kind'?: (string);
  'device'?: (string);
  /**
   * Memory that sessions may take, in bytes.
   */
  'memoryBytes'?: (number | string | Long);
  /**
   * Steps a second of a small fixed training measured at start: how fast this runner is beside others.
   */
  'speed'?: (number | string);
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
   * Name of the engine, and what the same bits can be expected from: "native avx2". A session stays on one kind.
   */
  'engine': (string);
  'kind': (string);
  'device': (string);
  /**
   * Memory that sessions may take, in bytes.
   */
  'memoryBytes': (number);
  /**
   * Steps a second of a small fixed training measured at start: how fast this runner is beside others.
   */
  'speed': (number);
}
