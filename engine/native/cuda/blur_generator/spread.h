// Offsets of the disk over which a source pixel spreads, in device memory.
#pragma once
#include <vector>
#include "shared/disk.h"
#include "cuda/trainer/stream.h"

namespace implicam::device {

inline Buffer<Offset> uploadOffsets(Stream& stream, int reach) {
  std::vector<Offset> list(mostOffsets(reach));
  list.resize(diskOffsets(reach, list.data()));
  Buffer<Offset> offsets(stream, list.size(), "offsets of the disk");
  offsets.upload(list.data());
  return offsets;
}

}  // namespace implicam::device
