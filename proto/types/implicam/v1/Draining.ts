// Original file: proto/implicam/v1/coordination.proto


/**
 * This runner is to shut down: move its shards elsewhere.
 */
export interface Draining {
}

/**
 * This runner is to shut down: move its shards elsewhere.
 */
export interface Draining__Output {
}
