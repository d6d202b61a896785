// Original file: proto/implicam/v1/coordination.proto


/**
 * Answers `draining` once nothing on this runner is needed any more: it may exit.
 */
export interface Released {
}

/**
 * Answers `draining` once nothing on this runner is needed any more: it may exit.
 */
export interface Released__Output {
}
