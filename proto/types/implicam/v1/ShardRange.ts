// Original file: proto/implicam/v1/coordination.proto


/**
 * Shards `first` to `first + count - 1`.
 */
export interface ShardRange {
  'first'?: (number);
  'count'?: (number);
}

/**
 * Shards `first` to `first + count - 1`.
 */
export interface ShardRange__Output {
  'first': (number);
  'count': (number);
}
