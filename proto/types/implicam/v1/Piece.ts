// Original file: proto/implicam/v1/reduction.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A part of a tree node's value. The pieces of one value follow each other in order.
 */
export interface Piece {
  'session'?: (string);
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
   * At most 256 KB. The whole value is laid out as runner/native/reduction.h says.
   */
  'data'?: (Buffer | Uint8Array | string);
  /**
   * Which part of the session's lines the value tells of: lanes are summed each by itself (model/reduction.ts).
   */
  'lane'?: (number);
  /**
   * Not a sum, but what members say to each other before the first step, to agree on an exchange from device to device: `node`
   * is then the teller's place in the placement, `lane` what it is about (0: it is ready, 1: the identity of the exchange, 2:
   * whether it has joined, 3: whether all have), and `data` is 1 for yes, followed by the identity, or 0, followed by why not.
   */
  'word'?: (boolean);
}

/**
 * A part of a tree node's value. The pieces of one value follow each other in order.
 */
export interface Piece__Output {
  'session': (string);
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
   * At most 256 KB. The whole value is laid out as runner/native/reduction.h says.
   */
  'data': (Buffer);
  /**
   * Which part of the session's lines the value tells of: lanes are summed each by itself (model/reduction.ts).
   */
  'lane': (number);
  /**
   * Not a sum, but what members say to each other before the first step, to agree on an exchange from device to device: `node`
   * is then the teller's place in the placement, `lane` what it is about (0: it is ready, 1: the identity of the exchange, 2:
   * whether it has joined, 3: whether all have), and `data` is 1 for yes, followed by the identity, or 0, followed by why not.
   */
  'word': (boolean);
}
