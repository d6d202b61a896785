// Original file: proto/implicam/v1/training.proto


/**
 * Answers `draining` once nothing is needed of this runner any more.
 */
export interface Released {
}

/**
 * Answers `draining` once nothing is needed of this runner any more.
 */
export interface Released__Output {
}
