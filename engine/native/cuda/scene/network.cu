#include "cuda/scene/network.h"

#include <algorithm>

namespace implicam::device {
namespace {

enum class After { none, relu, mask, slope };

// Y[o][n] = after(b[o] + Σ_i W[o·so + i·si] X[i][n]); the strides select W or its transpose. A block makes 8·GROUPS outputs
// of a run of samples, a thread 8 outputs of EACH samples: its 8 weights are the same for a whole warp. DEPTH inputs are in
// shared memory at a time. Each sum is taken in the order of the inputs, so that all widths give the same bits.
template <int GROUPS, int EACH, int DEPTH>
struct Product {
  static constexpr int THREADS = 256, ROWS = 8 * GROUPS, LANES = THREADS / GROUPS, COLUMNS = LANES * EACH;
  struct Shared {
    float w[DEPTH][ROWS], x[DEPTH][COLUMNS];
  };
  struct Own {
    float y[8][EACH];
  };

  const float *W, *b, *X, *slope;
  float* Y;
  int so, si, inputs, outputs;
  int64_t ld;
  After after;

  int64_t rowTiles() const { return (outputs + ROWS - 1) / ROWS; }
  int64_t blocks() const { return rowTiles() * ((ld + COLUMNS - 1) / COLUMNS); }

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const int tiles = (outputs + ROWS - 1) / ROWS;
    const int row0 = (int)(block.index % tiles) * ROWS;
    const int64_t n0 = block.index / tiles * COLUMNS;
    PerThread<Own, THREADS> own;
    block.each([&](int t) {
      IC_PRAGMA_UNROLL
      for (int r = 0; r < 8; r++) {
        int o = row0 + t / LANES * 8 + r;
        float start = b && o < outputs ? b[o] : 0;
        IC_PRAGMA_UNROLL
        for (int k = 0; k < EACH; k++) own[t].y[r][k] = start;
      }
    });
    for (int i0 = 0; i0 < inputs; i0 += DEPTH) {
      block.each([&](int t) { load(shared, t, row0, n0, i0); });
      block.each([&](int t) { multiply(shared, t, own[t]); });
    }
    block.each([&](int t) { finish(t, row0, n0, own[t]); });
  }

 private:
  // Column of a thread's k-th sample: runs of four, so that neighbours' loads of 16 bytes lie side by side.
  IC_DEVICE static int columnOf(int t, int k) {
    constexpr int RUN = EACH < 4 ? EACH : 4;
    return k / RUN * LANES * RUN + t % LANES * RUN + k % RUN;
  }

  IC_DEVICE void load(Shared& shared, int t, int row0, int64_t n0, int i0) const {
    for (int e = t; e < DEPTH * ROWS; e += THREADS) {
      // Neighbouring threads read neighbouring weights, whichever way the matrix lies.
      int i = si == 1 ? e % DEPTH : e / ROWS, r = si == 1 ? e / DEPTH : e % ROWS;
      bool inside = i0 + i < inputs && row0 + r < outputs;
      shared.w[i][r] = inside ? W[(int64_t)(row0 + r) * so + (int64_t)(i0 + i) * si] : 0;
    }
    for (int e = t; e < DEPTH * COLUMNS; e += THREADS) {
      int i = e / COLUMNS, c = e % COLUMNS;
      bool inside = i0 + i < inputs && n0 + c < ld;
      shared.x[i][c] = inside ? X[(i0 + i) * ld + n0 + c] : 0;
    }
  }

  IC_DEVICE static void multiply(const Shared& shared, int t, Own& own) {
    const int row = t / LANES * 8;
    IC_PRAGMA_UNROLL_2
    for (int i = 0; i < DEPTH; i++) {
      float w[8], x[EACH];
      IC_PRAGMA_UNROLL
      for (int r = 0; r < 8; r++) w[r] = shared.w[i][row + r];
      IC_PRAGMA_UNROLL
      for (int k = 0; k < EACH; k++) x[k] = shared.x[i][columnOf(t, k)];
      IC_PRAGMA_UNROLL
      for (int r = 0; r < 8; r++)
        IC_PRAGMA_UNROLL
        for (int k = 0; k < EACH; k++) own.y[r][k] += w[r] * x[k];
    }
  }

  IC_DEVICE void finish(int t, int row0, int64_t n0, const Own& own) const {
    IC_PRAGMA_UNROLL
    for (int r = 0; r < 8; r++) {
      int o = row0 + t / LANES * 8 + r;
      if (o >= outputs) continue;
      IC_PRAGMA_UNROLL
      for (int k = 0; k < EACH; k++) {
        int64_t n = n0 + columnOf(t, k);
        if (n < ld) Y[o * ld + n] = activate(own.y[r][k], o * ld + n);
      }
    }
  }

  IC_DEVICE float activate(float y, int64_t at) const {
    if (after == After::relu) return greater(y, 0);
    if (after == After::mask) return Y[at] > 0 ? y : 0;
    if (after == After::slope) return y * slope[at];
    return y;
  }
};

// sin(ω·) in place, and its slope. Apart from `Product`, whose registers it would burst.
struct Sine {
  float *y, *slope;
  float omega;
  IC_DEVICE void item(int64_t i) const {
    const float x = y[i] * omega;
    y[i] = sinf(x);
    slope[i] = cosf(x) * omega;
  }
};

// partial[shard][split] = Σ_n dY[o][n] X[i][n] and Σ_n dY[o][n] over a run of a shard's samples, laid out as the layer's
// parameters: W[o][i], then b[o]. A block makes 8·EACH outputs × 64 inputs.
template <int EACH>
struct WeightGradient {
  static constexpr int THREADS = 128, ROWS = 8 * EACH, COLUMNS = 64, RUN = 32;
  struct Shared {
    float y[RUN][ROWS + 4], x[RUN][COLUMNS + 4];
  };
  struct Own {
    float w[EACH][4], b;
  };

  const float *dY, *X;
  float* partial;
  int inputs, outputs, splits;
  int64_t ld, perShard, length;

  int64_t blocks(int shards) const {
    int64_t tiles = (int64_t)((outputs + ROWS - 1) / ROWS) * ((inputs + COLUMNS - 1) / COLUMNS);
    return tiles * splits * shards;
  }

  IC_DEVICE void run(Block<THREADS>& block, Shared& shared) const {
    const int across = (inputs + COLUMNS - 1) / COLUMNS, down = (outputs + ROWS - 1) / ROWS;
    int64_t k = block.index;
    const int i0 = (int)(k % across) * COLUMNS;
    k /= across;
    const int o0 = (int)(k % down) * ROWS;
    k /= down;  // shard · splits + split
    const int64_t from = k / splits * perShard + k % splits * length;
    const int64_t to = k % splits == splits - 1 ? (k / splits + 1) * perShard : from + length;
    PerThread<Own, THREADS> own;
    block.each([&](int t) {
      own[t].b = 0;
      IC_PRAGMA_UNROLL
      for (int a = 0; a < EACH; a++)
        IC_PRAGMA_UNROLL
        for (int c = 0; c < 4; c++) own[t].w[a][c] = 0;
    });
    for (int64_t n0 = from; n0 < to; n0 += RUN) {
      block.each([&](int t) { load(shared, t, i0, o0, n0, to); });
      block.each([&](int t) { multiply(shared, t, own[t]); });
    }
    float* out = partial + k * (int64_t)(inputs + 1) * outputs;
    block.each([&](int t) { finish(t, i0, o0, own[t], out); });
  }

 private:
  IC_DEVICE void load(Shared& shared, int t, int i0, int o0, int64_t n0, int64_t to) const {
    const int n = t % RUN;
    const bool inside = n0 + n < to;
    for (int r = t / RUN; r < ROWS; r += THREADS / RUN)
      shared.y[n][r] = inside && o0 + r < outputs ? dY[(o0 + r) * ld + n0 + n] : 0;
    for (int c = t / RUN; c < COLUMNS; c += THREADS / RUN)
      shared.x[n][c] = inside && i0 + c < inputs ? X[(i0 + c) * ld + n0 + n] : 0;
  }

  IC_DEVICE static void multiply(const Shared& shared, int t, Own& own) {
    const int row = t / 16 * EACH, column = t % 16 * 4;
    IC_PRAGMA_UNROLL_4
    for (int n = 0; n < RUN; n++) {
      float y[EACH], x[4];
      IC_PRAGMA_UNROLL
      for (int a = 0; a < EACH; a++) y[a] = shared.y[n][row + a];
      IC_PRAGMA_UNROLL
      for (int c = 0; c < 4; c++) x[c] = shared.x[n][column + c];
      IC_PRAGMA_UNROLL
      for (int a = 0; a < EACH; a++)
        IC_PRAGMA_UNROLL
        for (int c = 0; c < 4; c++) own.w[a][c] += y[a] * x[c];
    }
    if (t < ROWS) {
      float sum = 0;
      for (int n = 0; n < RUN; n++) sum += shared.y[n][t];
      own.b += sum;
    }
  }

  IC_DEVICE void finish(int t, int i0, int o0, const Own& own, float* out) const {
    IC_PRAGMA_UNROLL
    for (int a = 0; a < EACH; a++) {
      int o = o0 + t / 16 * EACH + a;
      if (o >= outputs) continue;
      IC_PRAGMA_UNROLL
      for (int c = 0; c < 4; c++) {
        int i = i0 + t % 16 * 4 + c;
        if (i < inputs) out[(int64_t)o * inputs + i] = own.w[a][c];
      }
    }
    if (i0 == 0 && t < ROWS && o0 + t < outputs) out[(int64_t)inputs * outputs + o0 + t] = own.b;
  }
};

// gradient[shard][p] += Σ over splits, in order.
struct SumPartials {
  const float* partial;
  float* gradient;
  int64_t size, stride;
  int splits;

  IC_DEVICE void item(int64_t i) const {
    int64_t shard = i / size, p = i % size;
    const float* from = partial + shard * splits * size + p;
    float sum = 0;
    for (int k = 0; k < splits; k++) sum += from[k * size];
    gradient[shard * stride + p] += sum;
  }
};

// How a layer's weight gradient is cut: enough blocks to fill a device, whatever shards are here.
struct Cut {
  int splits;
  int64_t length;
};
Cut cutOf(int inputs, int outputs, int64_t perShard) {
  int64_t tiles = (int64_t)((outputs + 63) / 64) * ((inputs + 63) / 64);
  int64_t wanted = std::max<int64_t>(1, 96 / tiles);
  int64_t length = paddedSamples(std::max<int64_t>(256, (perShard + wanted - 1) / wanted));
  return {(int)((perShard + length - 1) / length), length};
}

}  // namespace

void sumPartials(Stream& stream, const float* partial, int slots, int splits, int64_t size,
                 const SharedGradient& gradient, int64_t offset) {
  stream.items(slots * size, SumPartials{partial, gradient.at + offset, size, gradient.stride, splits});
}

Network::Network(Stream& stream, const NetSpec& spec, int shards, int64_t perShard, const char* what)
    : stream_(&stream), spec_(spec), shards_(shards), perShard_(perShard), ld_(shards * perShard) {
  int64_t features = 0, partial = 0;
  for (int l = 0; l <= spec.layers; l++) {
    first_[l] = features;
    features += spec.width[l];
    if (sine(l)) {
      slope_[l] = features;
      features += spec.width[l];
    }
    if (l > 0) {
      int64_t size = (int64_t)(spec.width[l - 1] + 1) * spec.width[l];
      partial = std::max(partial, size * cutOf(spec.width[l - 1], spec.width[l], perShard).splits);
    }
  }
  memory_ = Buffer<float>(stream, features * ld_, what);
  partial_ = Buffer<float>(stream, partial * shards, what);
}

int64_t Network::floatsPerSample(const NetSpec& spec) {
  int64_t features = 0;
  for (int l = 0; l <= spec.layers; l++) features += spec.width[l] * (spec.sine ? 2 : 1);
  return features;
}

namespace {
// Whether a device is filled by blocks that wide: two for every multiprocessor, whose shared memory holds two.
template <class P>
bool fills(const Stream& stream, const P& p) {
  return p.blocks() >= 2 * stream.processors() && 2 * sizeof(typename P::Shared) <= stream.sharedBytes();
}

void product(Stream& stream, const float* W, const float* b, int so, int si, int inputs, int outputs, const float* X,
             float* Y, const float* slope, int64_t ld, After after) {
  const Product<1, 1, 16> few{W, b, X, slope, Y, so, si, inputs, outputs, ld, after};
  const Product<8, 8, 32> wide{W, b, X, slope, Y, so, si, inputs, outputs, ld, after};
  const Product<8, 4, 16> middle{W, b, X, slope, Y, so, si, inputs, outputs, ld, after};
  const Product<8, 2, 16> narrow{W, b, X, slope, Y, so, si, inputs, outputs, ld, after};
  if (outputs <= 8) stream.blocks(few.blocks(), few);
  else if (fills(stream, wide)) stream.blocks(wide.blocks(), wide);
  else if (fills(stream, middle)) stream.blocks(middle.blocks(), middle);
  else stream.blocks(narrow.blocks(), narrow);
}
}  // namespace

void Network::forward(const float* theta) const {
  const float* W = theta + spec_.offset;
  for (int l = 1; l <= spec_.layers; l++) {
    const int in = spec_.width[l - 1], out = spec_.width[l];
    const float* b = W + (int64_t)in * out;
    const After after = l == spec_.layers || spec_.sine ? After::none : After::relu;
    product(*stream_, W, b, in, 1, in, out, activation(l - 1), activation(l), nullptr, ld_, after);
    if (sine(l)) stream_->items(out * ld_, Sine{activation(l), slope(l), spec_.omega});
    W = b + out;
  }
}

void Network::backward(const float* theta, const SharedGradient& gradient, bool toInput) const {
  int64_t end = spec_.offset + spec_.size;
  for (int l = spec_.layers; l >= 1; l--) {
    const int in = spec_.width[l - 1], out = spec_.width[l];
    const int64_t size = (int64_t)(in + 1) * out, at = end - size;
    const Cut cut = cutOf(in, out, perShard_);
    if (out > 8) {
      WeightGradient<8> w{activation(l), activation(l - 1), partial_.at(), in, out, cut.splits, ld_, perShard_, cut.length};
      stream_->blocks(w.blocks(shards_), w);
    } else {
      WeightGradient<1> w{activation(l), activation(l - 1), partial_.at(), in, out, cut.splits, ld_, perShard_, cut.length};
      stream_->blocks(w.blocks(shards_), w);
    }
    sumPartials(*stream_, partial_.at(), shards_, cut.splits, size, gradient, at);
    if (l > 1 || toInput) {
      After after = l == 1 ? After::none : spec_.sine ? After::slope : After::mask;
      product(*stream_, theta + at, nullptr, 1, in, out, in, activation(l), activation(l - 1), slope(l - 1), ld_, after);
    }
    end = at;
  }
}

}  // namespace implicam::device
