// Plain C++, one object for every processor: the same bits everywhere.
#include "reduction/reduction.h"

#include <cstring>
#include <string>

namespace implicam {

namespace {

uint64_t mix(uint64_t h, uint64_t word) {
  h = (h ^ word) * 0x9e3779b97f4a7c15u;
  return h ^ h >> 29;
}

// Four chains, because one multiplication waits for the other.
uint64_t checksum(const uint8_t* bytes, size_t size, uint64_t seed) {
  uint64_t h[4] = {seed, seed + 1, seed + 2, seed + 3}, word[4];
  size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    std::memcpy(word, bytes + i, 32);
    for (int k = 0; k < 4; k++) h[k] = mix(h[k], word[k]);
  }
  std::memset(word, 0, 32);
  std::memcpy(word, bytes + i, size - i);
  for (int k = 0; k < 4; k++) h[0] = mix(mix(h[0], word[k]), h[k]);
  return mix(h[0], size);
}

uint64_t checksumOf(const NodeHeader& header, const uint8_t* bytes, size_t size) {
  uint64_t head = checksum((const uint8_t*)&header, offsetof(NodeHeader, checksum), NODE_MAGIC);
  return checksum(bytes + sizeof header, size - sizeof header, head);
}

[[noreturn]] void refuse(const std::string& why) {
  throw Refused("a received gradient sum was refused: " + why +
                "; ask for it again, or load the last common snapshot");
}

// The entry at `at`, as a gap and a byte of nodes; where the next one is.
size_t readEntry(const uint8_t* bytes, size_t size, size_t at, uint64_t& gap, uint8_t& nodes) {
  gap = 0;
  for (int shift = 0;; shift += 7) {
    if (at >= size || shift > 28) refuse("its list of lines is damaged");
    gap |= (uint64_t)(bytes[at] & 127) << shift;
    if (bytes[at++] < 128) break;
  }
  if (at >= size || bytes[at] == 0) refuse("its list of lines is damaged");
  nodes = bytes[at++];
  return at;
}

void readLines(NodeView& view, const uint8_t* bytes, size_t size, const NodeShape& shape) {
  const NodeHeader& h = view.header;
  const size_t count = (size_t)h.atlasLines + h.mapLines;
  size_t at = sizeof h + h.denseLines * view.lineBytes;
  // An entry has two bytes at least.
  if (at > size || 2 * count > size - at) refuse("it is shorter than its header tells");
  view.lines.reserve(count);
  int64_t before = -1;
  for (size_t i = 0; i < count; i++) {
    if (i == h.atlasLines) before = -1;
    uint64_t gap;
    uint8_t nodes;
    at = readEntry(bytes, size, at, gap, nodes);
    const int64_t n = before + 1 + (int64_t)gap;
    if (n >= (i < h.atlasLines ? shape.atlasLines : shape.mapLines) || !view.lane().has(n))
      refuse("it has lines that are not the grids' or not its lane's");
    view.lines.push_back({(uint32_t)n, nodes, 0});
    before = n;
  }
  for (SparseLine& line : view.lines) {
    line.at = at;
    at += shape.sparseBytes(__builtin_popcount(line.nodes));
  }
  if (at != size) refuse("it has " + std::to_string(size) + " bytes, its lines need " + std::to_string(at));
}

}  // namespace

NodeView readNode(const uint8_t* bytes, size_t size, const NodeShape& shape, int64_t step, int lanes) {
  NodeView view{};
  NodeHeader& h = view.header;
  if (size < sizeof h) refuse("it has " + std::to_string(size) + " bytes, fewer than a header");
  std::memcpy(&h, bytes, sizeof h);
  if (h.magic != NODE_MAGIC) refuse("it is not one");
  if (h.trainer != shape.trainer || h.numberBytes != shape.numberBytes) refuse("it is of another trainer or precision");
  if (h.step != step)
    refuse("it is of step " + std::to_string(h.step) + ", this trainer is at step " + std::to_string(step));
  if (h.lanes != lanes || h.lane >= h.lanes)
    refuse("it is of lane " + std::to_string(h.lane) + " of " + std::to_string(h.lanes) + ", this step is taken in " +
           std::to_string(lanes));
  if (h.denseLines != view.lane().of(shape.denseLines)) refuse("it is of another trainer or precision");
  if (h.atlasLines > shape.atlasLines || h.mapLines > shape.mapLines) refuse("it has more lines than the grids");
  view.lineBytes = shape.lineBytes();
  view.bytes = bytes;
  view.end = bytes + size;
  view.dense = bytes + sizeof h;
  readLines(view, bytes, size, shape);
  if (h.checksum != checksumOf(h, bytes, size)) refuse("its checksum is wrong, so it was damaged on the way");
  return view;
}

void sealNode(uint8_t* bytes, size_t size, NodeHeader header) {
  header.magic = NODE_MAGIC;
  header.checksum = checksumOf(header, bytes, size);
  std::memcpy(bytes, &header, sizeof header);
}

}  // namespace implicam
