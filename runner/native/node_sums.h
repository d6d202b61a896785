// The gradient sums of the shards that a session hosts, as nodes of the reduction tree. A node is named by its leftmost
// shard s and covers [s, s + extent); its value stands in shard s's buffer. Grid lines that are not marked as touched
// are zero and are left out of every sum: adding +0 changes no number that an update can see.
#pragma once
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>
#include "grid_lines.h"
#include "memory.h"
#include "plan.h"
#include "reduction.h"
#include "session.h"
#include "workers.h"

namespace implicam {

template <class R>
class NodeSums {
 public:
  struct Grid {
    const GridSpec* spec;
    R* gradient;
    uint8_t* touched;
  };

  // Memory for the shards `hosted`, ascending; of tiled sessions, whose grids nobody sums, for the shared part alone.
  // `session` names what must be the same on every runner.
  NodeSums(const Model& model, const std::vector<int32_t>& hosted, bool half, uint64_t session)
      : model_(&model), half_(half) {
    const bool grids = !model.shard[0].tiled;
    slot_.assign(model.shards, -1);
    for (int32_t s : hosted) {
      slot_[s] = (int)nodes_.size();
      nodes_.emplace_back();
      Node& node = nodes_.back();
      node.shared = Aligned<R>(model.shared + LINE);
      node.gradient.shared = node.shared.data;
      for (int kind = 0; kind < 2 && grids; kind++) {
        size_t size = 2 * (size_t)spec(kind).nodes;
        node.grid[kind] = Aligned<R>(size);
        node.touched[kind] = Aligned<uint8_t>(size / LINE + 8);
      }
      node.gradient.atlas = node.grid[0].data;
      node.gradient.map = node.grid[1].data;
      node.gradient.atlasTouched = node.touched[0].data;
      node.gradient.mapTouched = node.touched[1].data;
    }
    shape_ = {half ? 2u : (uint32_t)sizeof(R), session, (uint32_t)(model.shared / LINE),
              grids ? (uint32_t)(spec(0).nodes / 8) : 0, grids ? (uint32_t)(spec(1).nodes / 8) : 0};
  }

  bool hosts(int shard) const { return shard >= 0 && shard < model_->shards && slot_[shard] >= 0; }
  ShardGradient<R>& gradient(int shard) { return nodes_[slot_[shard]].gradient; }
  Aligned<R>& anyShared() { return nodes_[0].shared; }

  // Clears what an abandoned step left in a shard's buffers.
  void clean(int shard) {
    Node& node = nodes_[slot_[shard]];
    std::fill_n(node.shared.data, model_->shared, R(0));
    node.gradient.loss = node.gradient.squared = node.gradient.samples = 0;
    std::fill_n(node.gradient.ticks, PHASES, 0);
    node.extent = 0;
    if (!node.dirty) return;
    for (int kind = 0; kind < 2; kind++)
      eachLine(spec(kind), node.touched[kind].data, 0, lines(kind), [&](int64_t i) {
        std::fill_n(node.grid[kind].data + i * LINE, LINE, R(0));
        node.touched[kind].data[i] = 0;
      });
    node.dirty = false;
  }

  // A shard's gradient is there: rounds it where the session says so.
  void finishLeaf(int shard) {
    Node& node = nodes_[slot_[shard]];
    node.extent = 1;
    node.dirty = node.grid[0].size || node.grid[1].size;
    if (!half_) return;
    for (int64_t i = 0; i < model_->shared; i += LINE) roundLine(node.shared.data + i);
    for (int kind = 0; kind < 2; kind++)
      eachLine(spec(kind), node.touched[kind].data, 0, lines(kind),
               [&](int64_t i) { roundLine(node.grid[kind].data + i * LINE); });
  }

  // Nothing of this step may be combined any more.
  void forget() {
    for (Node& node : nodes_) node.extent = 0;
  }

  void combine(int into, int from, Workers& workers) {
    Node& a = at(into);
    Node& b = at(from);
    checkSiblings(into, a.extent, from, b.extent);
    workers.run([&](int id) {
      if (id == 0)
        for (int64_t i = 0; i < model_->shared; i += LINE) addLine(a.shared.data + i, b.shared.data + i);
      for (int kind = 0; kind < 2; kind++)
        eachLine(spec(kind), b.touched[kind].data, part(kind, id, workers), part(kind, id + 1, workers),
                 [&](int64_t i) {
                   addLine(a.grid[kind].data + i * LINE, b.grid[kind].data + i * LINE);
                   a.touched[kind].data[i] = 1;
                 });
    });
    addSums(a, b.gradient.loss, b.gradient.squared, b.gradient.samples);
  }

  using Bytes = AnySession::Bytes;

  Bytes take(int shard, int64_t step, Workers& workers) {
    Node& node = at(shard);
    const int parts = workers.count();
    std::vector<std::vector<uint32_t>> found[2] = {std::vector<std::vector<uint32_t>>(parts),
                                                   std::vector<std::vector<uint32_t>>(parts)};
    workers.run([&](int id) {
      for (int kind = 0; kind < 2; kind++)
        eachLine(spec(kind), node.touched[kind].data, part(kind, id, workers), part(kind, id + 1, workers),
                 [&](int64_t i) {
                   if (!isZeroLine(node.grid[kind].data + i * LINE)) found[kind][id].push_back((uint32_t)i);
                 });
    });
    size_t count[2] = {0, 0};
    for (int kind = 0; kind < 2; kind++)
      for (const auto& f : found[kind]) count[kind] += f.size();
    NodeHeader header{};
    header.numberBytes = shape_.numberBytes;
    header.session = shape_.session;
    header.step = step;
    header.shard = shard;
    header.shards = covered(shard, node.extent);
    header.denseLines = shape_.denseLines;
    header.atlasLines = (uint32_t)count[0];
    header.mapLines = (uint32_t)count[1];
    header.loss = node.gradient.loss;
    header.squared = node.gradient.squared;
    header.samples = node.gradient.samples;
    Bytes out;
    out.size = nodeBytes(shape_, header);
    out.data.reset(new uint8_t[out.size]);
    const size_t lineBytes = shape_.lineBytes();
    uint8_t* dense = out.data.get() + sizeof header;
    uint8_t* numbers = dense + header.denseLines * lineBytes;
    uint8_t* sparse = numbers + 4 * (count[0] + count[1]);
    workers.run([&](int id) {
      for (uint32_t i = id; i < header.denseLines; i += parts) put(dense + i * lineBytes, node.shared.data + i * LINE);
      size_t before = 0;
      for (int kind = 0; kind < 2; kind++)
        for (int p = 0; p < parts; p++) {
          const auto& mine = found[kind][p];
          if (p == id) {
            if (!mine.empty()) std::memcpy(numbers + 4 * before, mine.data(), 4 * mine.size());
            for (size_t j = 0; j < mine.size(); j++)
              put(sparse + (before + j) * lineBytes, node.grid[kind].data + (size_t)mine[j] * LINE);
          }
          before += mine.size();
        }
    });
    sealNode(out.data.get(), out.size, header);
    return out;
  }

  NodeView read(const uint8_t* bytes, size_t size, int64_t step) const { return readNode(bytes, size, shape_, step); }

  void add(int shard, const NodeView& view, Workers& workers) {
    Node& node = at(shard);
    const NodeHeader& h = view.header;
    int extent = 1;
    const bool inside = h.shard >= 0 && h.shard < model_->shards;
    while (inside && extent < model_->shards && covered(h.shard, extent) < h.shards) extent *= 2;
    if (!inside || covered(h.shard, extent) != h.shards)
      throw Refused("a received gradient sum was refused: it covers no node of the tree; send whole nodes");
    checkSiblings(shard, node.extent, h.shard, extent);
    workers.run([&](int id) {
      R line[LINE];
      for (uint32_t i = 0; i < h.denseLines && id == 0; i++) {
        get(view.dense + i * view.lineBytes, line);
        addLine(node.shared.data + (size_t)i * LINE, line);
      }
      eachReceived(view, id, workers.count(), [&](int kind, size_t number, const R* values) {
        addLine(node.grid[kind].data + number * LINE, values);
        node.touched[kind].data[number] = 1;
      });
    });
    addSums(node, h.loss, h.squared, h.samples);
  }

  // Calls visit(kind, line, values) for a member's part of the received grid lines.
  template <class Visit>
  void eachReceived(const NodeView& view, int id, int parts, Visit visit) const {
    const size_t count = (size_t)view.header.atlasLines + view.header.mapLines;
    for (size_t i = count * id / parts; i < count * (id + 1) / parts; i++) {
      R line[LINE];
      get(view.lines + i * view.lineBytes, line);
      visit(i < view.header.atlasLines ? 0 : 1, view.number(i), (const R*)line);
    }
  }

  void receivedShared(const NodeView& view, R* shared) const {
    for (uint32_t i = 0; i < view.header.denseLines; i++) get(view.dense + i * view.lineBytes, shared + (size_t)i * LINE);
  }

  // Refuses a node that is not the sum of all shards.
  void checkRoot(int shard) {
    if (shard != 0 || at(0).extent < model_->shards)
      throw Refused("node " + std::to_string(shard) + " is not yet the sum of all shards: combine them first");
  }
  void checkRoot(const NodeView& view) const {
    if (view.header.shard != 0 || view.header.shards != model_->shards)
      throw Refused("the received node is not the sum of all shards: apply the root");
  }

 private:
  struct Node {
    Aligned<R> shared, grid[2];
    Aligned<uint8_t> touched[2];
    ShardGradient<R> gradient{};
    int extent = 0;  // shards that a full node of this height covers; 0: nothing of this step is here
    bool dirty = false;
  };

  const GridSpec& spec(int kind) const { return kind ? model_->mapGrid : model_->atlasGrid; }
  // Lines of a node's grids: none where tiles own them.
  int64_t lines(int kind) const { return kind ? shape_.mapLines : shape_.atlasLines; }
  int64_t part(int kind, int id, const Workers& workers) const { return lines(kind) * id / workers.count(); }
  int covered(int shard, int extent) const { return std::min(shard + extent, model_->shards) - shard; }

  Node& at(int shard) {
    if (!hosts(shard)) throw Refused("shard " + std::to_string(shard) + " is not hosted here: open the session with it");
    Node& node = nodes_[slot_[shard]];
    if (node.extent == 0) throw Refused("shard " + std::to_string(shard) + " has no gradient: compute a step first");
    return node;
  }

  void checkSiblings(int into, int extent, int from, int fromExtent) const {
    if (into % (2 * extent) == 0 && from == into + extent && covered(from, fromExtent) == covered(from, extent)) return;
    throw Refused("node " + std::to_string(from) + " of " + std::to_string(covered(from, fromExtent)) +
                  " shards is not what the tree adds to node " + std::to_string(into) + " of " +
                  std::to_string(covered(into, extent)) + ": follow the plan of the reduction");
  }

  void addLine(R* a, const R* b) const {
    for (int i = 0; i < LINE; i++) a[i] += b[i];
    if (half_) roundLine(a);
  }

  void addSums(Node& node, double loss, double squared, double samples) {
    node.gradient.loss += loss;
    node.gradient.squared += squared;
    node.gradient.samples += samples;
    node.extent *= 2;
  }

  void put(uint8_t* to, const R* line) const {
    if (!half_) {
      std::memcpy(to, line, LINE * sizeof(R));
      return;
    }
    float single[LINE];
    for (int i = 0; i < LINE; i++) single[i] = (float)line[i];
    HalfLine packed = packLine(single);
    std::memcpy(to, &packed, sizeof packed);
  }

  void get(const uint8_t* from, R* line) const {
    if (!half_) {
      std::memcpy(line, from, LINE * sizeof(R));
      return;
    }
    HalfLine packed;
    float single[LINE];
    std::memcpy(&packed, from, sizeof packed);
    unpackLine(packed, single);
    for (int i = 0; i < LINE; i++) line[i] = single[i];
  }

  const Model* model_;
  bool half_;
  NodeShape shape_;
  std::vector<int> slot_;
  std::vector<Node> nodes_;
};

}  // namespace implicam
