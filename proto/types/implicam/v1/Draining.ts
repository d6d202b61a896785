// Original file: proto/implicam/v1/training.proto


/**
 * This runner wants to leave: its shards are to move.
 */
export interface Draining {
}

/**
 * This runner wants to leave: its shards are to move.
 */
export interface Draining__Output {
}
