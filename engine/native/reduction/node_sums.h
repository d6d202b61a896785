// The gradient sums of the shards that a trainer hosts, as nodes of the reduction tree. A node covers shards
// [start, start + extent); its value stands in the buffer of some hosted shard, its slot, for every lane by itself: which
// runner goes on with a sum may differ from lane to lane, what is added to what does not. Grid lines that are not
// marked as touched are zero and are left out of every sum: adding +0 changes no number that an update can see.
#pragma once
#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>
#include "kernels/scene/grid_lines.h"
#include "reduction/line_codec.h"
#include "support/memory.h"
#include "reduction/node_part.h"
#include "shared/plan.h"
#include "reduction/reduction.h"
#include "trainer/trainer.h"
#include "support/workers.h"

namespace implicam {

template <class R>
class NodeSums {
  using Codec = LineCodec<R>;

 public:
  struct Grid {
    const GridSpec* spec;
    R* gradient;
    uint8_t* touched;
  };

  // Memory for the shards `hosted`, ascending; of tiled trainings, whose grids nobody sums, for the shared part alone.
  // `trainer` names what must be the same on every runner.
  NodeSums(const Model& model, const std::vector<int32_t>& hosted, uint64_t trainer) : model_(&model) {
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
    shape_ = {(uint32_t)sizeof(R), trainer, (uint32_t)(model.shared / LINE),
              grids ? (uint32_t)(spec(0).nodes / 8) : 0, grids ? (uint32_t)(spec(1).nodes / 8) : 0};
  }

  bool hosts(int shard) const { return shard >= 0 && shard < model_->shards && slot_[shard] >= 0; }
  ShardGradient<R>& gradient(int shard) { return nodes_[slot_[shard]].gradient; }
  Aligned<R>& anyShared() { return nodes_[0].shared; }

  // A step begins, in so many lanes: nothing of an earlier one may be combined any more.
  void begin(int lanes) {
    lanes_ = lanes;
    for (Node& node : nodes_) node.parts.assign(lanes, Part{});
  }
  int lanes() const { return lanes_; }
  // Nothing of this step may be combined any more.
  void forget() { begin(lanes_); }

  // Clears what an abandoned step left in a shard's buffers.
  void clean(int shard) {
    Node& node = nodes_[slot_[shard]];
    std::fill_n(node.shared.data, model_->shared, R(0));
    node.gradient.loss = node.gradient.squared = node.gradient.samples = 0;
    std::fill_n(node.gradient.ticks, PHASES, 0);
    if (!node.dirty) return;
    for (int kind = 0; kind < 2; kind++)
      eachLine(spec(kind), node.touched[kind].data, 0, lines(kind), [&](int64_t i) {
        std::fill_n(node.grid[kind].data + i * LINE, LINE, R(0));
        node.touched[kind].data[i] = 0;
      });
    node.dirty = false;
  }

  // A shard's gradient is there.
  void finishLeaf(int shard) {
    Node& node = nodes_[slot_[shard]];
    const ShardGradient<R>& g = node.gradient;
    node.parts.assign(lanes_, Part{shard, 1, {g.loss, g.squared, g.samples}});
    node.dirty = node.grid[0].size || node.grid[1].size;
  }

  // Adds what stands in slot `from` to slot `into`, which then holds their sum.
  void combine(int into, int from, Lane lane, Workers& workers) {
    Node &a = at(into, lane), &b = at(from, lane);
    const Part sum = joined(a.parts[lane.index], b.parts[lane.index]);
    workers.run([&](int id) {
      if (id == 0)
        lane.runs(0, shape_.denseLines, [&](int64_t x, int64_t y) {
          for (int64_t i = x * LINE; i < y * LINE; i += LINE) Codec::add(a.shared.data + i, b.shared.data + i);
        });
      eachOwn(b, lane, id, workers.count(), [&](int kind, int64_t i) {
        Codec::add(a.grid[kind].data + i * LINE, b.grid[kind].data + i * LINE);
        a.touched[kind].data[i] = 1;
      });
    });
    a.parts[lane.index] = sum;
  }

  // Writes a slot's value where it fits into `capacity` bytes; answers with its size either way.
  size_t take(int slot, Lane lane, int64_t step, uint8_t* out, size_t capacity, Workers& workers) {
    Node& node = at(slot, lane);
    const Part& own = node.parts[lane.index];
    const int parts = workers.count();
    for (auto& found : found_) found.resize(parts);
    workers.run([&](int id) {
      for (auto& found : found_) found[id].clear();
      eachOwn(node, lane, id, parts, [&](int kind, int64_t i) {
        const uint8_t nodes = Codec::nodesOf(node.grid[kind].data + i * LINE);
        if (nodes) found_[kind][id].push(i, nodes, shape_);
      });
    });
    NodeHeader header{};
    header.numberBytes = shape_.numberBytes;
    header.trainer = shape_.trainer;
    header.step = step;
    header.shard = own.start;
    header.shards = covered(own.start, own.extent);
    header.denseLines = (uint32_t)lane.of(shape_.denseLines);
    header.lane = (uint16_t)lane.index;
    header.lanes = (uint16_t)lane.count;
    header.loss = own.sums.loss;
    header.squared = own.sums.squared;
    header.samples = own.sums.samples;
    const size_t list = sizeof header + header.denseLines * shape_.lineBytes();
    size_t size = list + listBytes(header);
    for (auto& found : found_)
      for (Found& f : found) {
        f.at = size;
        size += f.bytes;
      }
    if (size > capacity) return size;
    putDense(out + sizeof header, node, lane);
    putList(out + list);
    workers.run([&](int id) {
      for (int kind = 0; kind < 2; kind++) {
        const Found& f = found_[kind][id];
        uint8_t* to = out + f.at;
        for (const auto [number, nodes] : f.lines)
          to = Codec::putNodes(to, out + f.at + f.bytes, node.grid[kind].data + (size_t)number * LINE, nodes);
      }
    });
    sealNode(out, size, header);
    return size;
  }

  NodeView read(const uint8_t* bytes, size_t size, int64_t step) const {
    return readNode(bytes, size, shape_, step, lanes_);
  }

  // Adds a received value to what stands in a slot.
  void add(int slot, const NodeView& view, Workers& workers) {
    const Lane lane = view.lane();
    Node& node = at(slot, lane);
    const NodeHeader& h = view.header;
    int extent = 1;
    const bool inside = h.shard >= 0 && h.shard < model_->shards;
    while (inside && extent < model_->shards && covered(h.shard, extent) < h.shards) extent *= 2;
    if (!inside || covered(h.shard, extent) != h.shards)
      throw Refused("a received gradient sum was refused: it covers no node of the tree; send whole nodes");
    const Part received{h.shard, extent, {h.loss, h.squared, h.samples}};
    const Part sum = joined(node.parts[lane.index], received);
    workers.run([&](int id) {
      if (id == 0) eachDense(view, [&](int64_t i, const R* line) { Codec::add(node.shared.data + i * LINE, line); });
      eachReceived(view, id, workers.count(), [&](int kind, size_t number, const R* values) {
        Codec::add(node.grid[kind].data + number * LINE, values);
        node.touched[kind].data[number] = 1;
      });
    });
    node.parts[lane.index] = sum;
  }

  // Calls visit(kind, line) for a member's part of the lane's grid lines that a slot may hold a gradient of.
  template <class Visit>
  void eachOwn(int slot, Lane lane, int id, int parts, Visit visit) const {
    eachOwn(nodes_[slot_[slot]], lane, id, parts, visit);
  }

  // Calls visit(kind, line, values) for a member's part of the received grid lines.
  template <class Visit>
  void eachReceived(const NodeView& view, int id, int parts, Visit visit) const {
    const size_t count = view.lines.size();
    for (size_t i = count * id / parts; i < count * (id + 1) / parts; i++) {
      R line[LINE];
      Codec::getNodes(view.bytes + view.lines[i].at, view.end, view.lines[i].nodes, line);
      visit(i < view.header.atlasLines ? 0 : 1, view.lines[i].number, (const R*)line);
    }
  }

  // Puts a root's lane of the shared parameters into `shared`.
  void takeShared(const NodeView& view, R* shared) const {
    eachDense(view, [&](int64_t i, const R* line) { std::copy_n(line, LINE, shared + i * LINE); });
  }
  void takeShared(int slot, Lane lane, R* shared) const {
    const R* from = nodes_[slot_[slot]].shared.data;
    if (from == shared) return;
    lane.runs(0, shape_.denseLines, [&](int64_t a, int64_t b) { std::copy(from + a * LINE, from + b * LINE, shared + a * LINE); });
  }

  // The sums of a slot's value, or of a received one; refused where it is not the sum of all shards.
  StepResult rootSums(int slot, Lane lane) {
    const Part& part = at(slot, lane).parts[lane.index];
    checkRoot(part, model_->shards);
    return part.sums;
  }
  StepResult rootSums(const NodeView& view) const {
    const NodeHeader& h = view.header;
    if (h.shard != 0 || h.shards != model_->shards)
      throw Refused("the received node is not the sum of all shards: apply the root");
    return {h.loss, h.squared, h.samples};
  }

 private:
  using Part = NodePart;
  struct Node {
    Aligned<R> shared, grid[2];
    Aligned<uint8_t> touched[2];
    ShardGradient<R> gradient{};
    std::vector<Part> parts;  // by lane
    bool dirty = false;
  };
  // A member's grid lines to send: their numbers and nodes, where their features go, and how long those are.
  struct Found {
    struct Line {
      uint32_t number;
      uint8_t nodes;
    };
    std::vector<Line> lines;
    size_t at = 0, bytes = 0;

    void clear() {
      lines.clear();
      bytes = 0;
    }
    void push(int64_t number, uint8_t nodes, const NodeShape& shape) {
      lines.push_back({(uint32_t)number, nodes});
      bytes += shape.sparseBytes(std::popcount(nodes));
    }
  };

  const GridSpec& spec(int kind) const { return kind ? model_->mapGrid : model_->atlasGrid; }
  // Lines of a node's grids: none where tiles own them.
  int64_t lines(int kind) const { return kind ? shape_.mapLines : shape_.atlasLines; }
  int covered(int shard, int extent) const { return coveredShards(shard, extent, model_->shards); }

  Node& at(int slot, Lane lane) {
    if (!hosts(slot)) throw Refused("shard " + std::to_string(slot) + " is not hosted here: open the trainer with it");
    if (lane.count != lanes_ || lane.index < 0 || lane.index >= lanes_)
      throw Refused("this step is taken in " + std::to_string(lanes_) + " lanes: follow the plan of the reduction");
    Node& node = nodes_[slot_[slot]];
    if (node.parts.empty() || node.parts[lane.index].extent == 0)
      throw Refused("shard " + std::to_string(slot) + " has no gradient: compute a step first");
    return node;
  }

  Part joined(const Part& a, const Part& b) const { return joinedParts(a, b, model_->shards); }

  template <class Visit>
  void eachOwn(const Node& node, Lane lane, int id, int parts, Visit visit) const {
    for (int kind = 0; kind < 2; kind++)
      lane.runs(lines(kind) * id / parts, lines(kind) * (id + 1) / parts, [&](int64_t from, int64_t to) {
        eachLine(spec(kind), node.touched[kind].data, from, to, [&](int64_t i) { visit(kind, i); });
      });
  }

  template <class Visit>
  void eachDense(const NodeView& view, Visit visit) const {
    const uint8_t* from = view.dense;
    view.lane().runs(0, shape_.denseLines, [&](int64_t a, int64_t b) {
      for (int64_t i = a; i < b; i++, from += view.lineBytes) {
        R line[LINE];
        std::memcpy(line, from, sizeof line);
        visit(i, (const R*)line);
      }
    });
  }

  size_t listBytes(NodeHeader& header) const {
    size_t bytes = 0;
    for (int kind = 0; kind < 2; kind++) {
      int64_t before = -1;
      uint32_t count = 0;
      for (const Found& f : found_[kind]) {
        for (const auto& line : f.lines) {
          bytes += entryBytes((uint32_t)(line.number - before - 1));
          before = line.number;
        }
        count += (uint32_t)f.lines.size();
      }
      (kind ? header.mapLines : header.atlasLines) = count;
    }
    return bytes;
  }

  void putList(uint8_t* to) const {
    for (const auto& found : found_) {
      int64_t before = -1;
      for (const Found& f : found)
        for (const auto& line : f.lines) {
          to = putEntry(to, (uint32_t)(line.number - before - 1), line.nodes);
          before = line.number;
        }
    }
  }

  void putDense(uint8_t* to, const Node& node, Lane lane) const {
    lane.runs(0, shape_.denseLines, [&](int64_t a, int64_t b) {
      std::memcpy(to, node.shared.data + a * LINE, (b - a) * shape_.lineBytes());
      to += (b - a) * shape_.lineBytes();
    });
  }

  const Model* model_;
  int lanes_ = 1;
  NodeShape shape_;
  std::vector<int> slot_;
  std::vector<Node> nodes_;
  std::vector<Found> found_[2];  // what a value is made of, by member; memory that is used again
};

}  // namespace implicam
