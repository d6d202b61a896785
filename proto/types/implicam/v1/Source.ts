// Original file: proto/implicam/v1/training.proto


/**
 * Where parts of a snapshot are. Every source has the parameters that all shards share; shards are named for their own.
 */
export interface Source {
  /**
   * Empty: the object store.
   */
  'runner'?: (string);
  'address'?: (string);
  'shards'?: (number)[];
}

/**
 * Where parts of a snapshot are. Every source has the parameters that all shards share; shards are named for their own.
 */
export interface Source__Output {
  /**
   * Empty: the object store.
   */
  'runner': (string);
  'address': (string);
  'shards': (number)[];
}
