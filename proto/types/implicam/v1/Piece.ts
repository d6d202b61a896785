// Original file: proto/implicam/v1/reduction.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A part of a tree node's value. The pieces of one value follow each other in order.
 */
export interface Piece {
  'training'?: (string);
  'epoch'?: (number | string | Long);
  'step'?: (number);
  /**
   * The leftmost shard under the node that is the upper one of its sum; where `root` is set, the sum of all shards on its
   * way back.
   */
  'node'?: (number);
  'root'?: (boolean);
  /**
   * Length of the whole value in bytes, and where this piece starts.
   */
  'total'?: (number);
  'offset'?: (number);
  /**
   * At most 256 KB. The layout of a value is in engine/native/reduction/reduction.h.
   */
  'data'?: (Buffer | Uint8Array | string);
  /**
   * Which part of the training's parameter lines the value covers: each lane is summed by itself (model/reduction.ts).
   */
  'lane'?: (number);
  /**
   * Not a sum, but a control message: before the first step the members agree with these on an exchange from device to device.
   * `node` is then the sender's rank in the placement, `lane` the kind (0: ready, 1: id of the exchange, 2: joined, 3: outcome),
   * and `data` is a 1 followed by the id, if any, or a 0 followed by the reason of a failure.
   */
  'control'?: (boolean);
}

/**
 * A part of a tree node's value. The pieces of one value follow each other in order.
 */
export interface Piece__Output {
  'training': (string);
  'epoch': (number);
  'step': (number);
  /**
   * The leftmost shard under the node that is the upper one of its sum; where `root` is set, the sum of all shards on its
   * way back.
   */
  'node': (number);
  'root': (boolean);
  /**
   * Length of the whole value in bytes, and where this piece starts.
   */
  'total': (number);
  'offset': (number);
  /**
   * At most 256 KB. The layout of a value is in engine/native/reduction/reduction.h.
   */
  'data': (Buffer);
  /**
   * Which part of the training's parameter lines the value covers: each lane is summed by itself (model/reduction.ts).
   */
  'lane': (number);
  /**
   * Not a sum, but a control message: before the first step the members agree with these on an exchange from device to device.
   * `node` is then the sender's rank in the placement, `lane` the kind (0: ready, 1: id of the exchange, 2: joined, 3: outcome),
   * and `data` is a 1 followed by the id, if any, or a 0 followed by the reason of a failure.
   */
  'control': (boolean);
}
