// Original file: proto/implicam/v1/reduction.proto


export interface KeepSnapshotResponse {
}

export interface KeepSnapshotResponse__Output {
}
