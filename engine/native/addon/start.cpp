// The bridge to the start's kernels. Calls block, and work on the calling thread and the team's own.
#include "addon/start_arguments.h"
#include "start/compare.h"
#include "start/edges.h"
#include "start/filters.h"
#include "start/light.h"
#include "start/merge.h"
#include "start/shrink.h"
#include "start/spread.h"
#include "start/sweep.h"

namespace {

using namespace implicam;
namespace st = implicam::start;

class StartKernels final : public Napi::ObjectWrap<StartKernels> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "StartKernels",
                       {
                           InstanceMethod<&StartKernels::boxMean>("boxMean"),
                           InstanceMethod<&StartKernels::convolve>("convolve"),
                           InstanceMethod<&StartKernels::channelLight>("channelLight"),
                           InstanceMethod<&StartKernels::mergeChannel>("mergeChannel"),
                           InstanceMethod<&StartKernels::medianFilter>("medianFilter"),
                           InstanceMethod<&StartKernels::shrinkDetail>("shrinkDetail"),
                           InstanceMethod<&StartKernels::blurDisk>("blurDisk"),
                           InstanceMethod<&StartKernels::quantisedLog>("quantisedLog"),
                           InstanceMethod<&StartKernels::scoreShifts>("scoreShifts"),
                           InstanceMethod<&StartKernels::compare>("compare"),
                           InstanceMethod<&StartKernels::addDifferences>("addDifferences"),
                           InstanceMethod<&StartKernels::storeCosts>("storeCosts"),
                           InstanceMethod<&StartKernels::blockDifferences>("blockDifferences"),
                           InstanceMethod<&StartKernels::sumLowest>("sumLowest"),
                           InstanceMethod<&StartKernels::aggregatePaths>("aggregatePaths"),
                           InstanceMethod<&StartKernels::spread>("spread"),
                           InstanceMethod<&StartKernels::bandEnergy>("bandEnergy"),
                           InstanceMethod<&StartKernels::addToFusion>("addToFusion"),
                           InstanceMethod<&StartKernels::fusedCodes>("fusedCodes"),
                           InstanceMethod<&StartKernels::edgePart>("edgePart"),
                       });
  }

  // new StartKernels(threads, isa | undefined)
  explicit StartKernels(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<StartKernels>(info), team_(intOf(info, 0)), edges_(convolution(info)) {}

 private:
  // boxMean(source, width, height, radius ≥ 1, out)
  void boxMean(const Napi::CallbackInfo& info) {
    const Size size = sizeOf(info, 1);
    auto source = arrayOf<Napi::Float32Array>(info, 0, size.pixels(), "source");
    auto out = arrayOf<Napi::Float32Array>(info, 4, size.pixels(), "out");
    st::boxMean(team_, source.Data(), size.width, size.height, intOf(info, 3), out.Data());
  }

  // convolve(source, width, height, kernel: Float64Array, out)
  void convolve(const Napi::CallbackInfo& info) {
    const Size size = sizeOf(info, 1);
    auto source = arrayOf<Napi::Float32Array>(info, 0, size.pixels(), "source");
    auto kernel = info[3].As<Napi::Float64Array>();
    auto out = arrayOf<Napi::Float32Array>(info, 4, size.pixels(), "out");
    st::convolve(team_, source.Data(), size.width, size.height, kernel.Data(), (int)kernel.ElementLength() - 1,
                 out.Data());
  }

  // mergeChannel(codes: Uint8Array[], masks, channel, shifts, table, knots, pull, curvature, blackest, radiance)
  void mergeChannel(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    auto codes = info[0].As<Napi::Array>(), masks = info[1].As<Napi::Array>();
    const uint32_t frames = codes.Length();
    if (frames < 1 || frames > st::MOST_FRAMES) throw Napi::Error::New(env, "so many frames are not merged");
    auto radiance = info[9].As<Napi::Float32Array>();
    const size_t pixels = radiance.ElementLength() / 3;
    auto doubles = [&](size_t i, size_t length) { return arrayOf<Napi::Float64Array>(info, i, length, "a table").Data(); };
    st::MergeInput input{(int)frames, intOf(info, 2), pixels, {}, {}, doubles(3, frames), doubles(4, 256),
                         doubles(5, st::SEGMENTS + 1), doubles(6, st::SEGMENTS), doubles(7, st::SEGMENTS),
                         info[8].As<Napi::Number>().DoubleValue()};
    if (input.channel < 0 || input.channel > 2) throw Napi::Error::New(env, "there are three channels");
    for (uint32_t e = 0; e < frames; e++) {
      input.codes[e] = dataOf<Napi::Uint8Array>(env, codes.Get(e), 3 * pixels);
      Napi::Value mask = masks.Get(e);
      input.masks[e] = mask.IsTypedArray() ? dataOf<Napi::Uint8Array>(env, mask, pixels) : nullptr;
    }
    st::mergeChannel(team_, input, radiance.Data());
  }

  // What an axis of `from` pixels is covered by, from arguments i and i + 1.
  static st::Coverage coverageOf(const Napi::CallbackInfo& info, size_t i, int from, int to) {
    auto first = arrayOf<Napi::Int32Array>(info, i, to, "first");
    auto weights = info[i + 1].As<Napi::Float64Array>();
    const st::Coverage coverage{to, (int)(weights.ElementLength() / to), first.Data(), weights.Data()};
    for (int k = 0; k < to; k++)
      for (int n = 0; n < coverage.most; n++)
        if (coverage.weights[(size_t)k * coverage.most + n] != 0 && (first[k] < 0 || first[k] + n >= from))
          throw Napi::Error::New(info.Env(), "a weight lies outside the picture");
    return coverage;
  }

  // channelLight(data, width, height, channel, gain, toWidth, toHeight, columns' first and weights, rows', out)
  void channelLight(const Napi::CallbackInfo& info) {
    const Size size = sizeOf(info, 1), to = sizeOf(info, 5);
    auto data = arrayOf<Napi::Float32Array>(info, 0, 3 * size.pixels(), "data");
    const int channel = intOf(info, 3);
    if (channel < 0 || channel > 2) throw Napi::Error::New(info.Env(), "there are three channels");
    auto out = arrayOf<Napi::Float32Array>(info, 11, to.pixels(), "out");
    st::channelLight(team_, data.Data(), size.width, channel, info[4].As<Napi::Number>().DoubleValue(),
                     coverageOf(info, 7, size.width, to.width), coverageOf(info, 9, size.height, to.height),
                     out.Data());
  }

  // medianFilter(source, width, height, size, out)
  void medianFilter(const Napi::CallbackInfo& info) {
    const Size size = sizeOf(info, 1);
    auto source = arrayOf<Napi::Float32Array>(info, 0, size.pixels(), "source");
    auto out = arrayOf<Napi::Float32Array>(info, 4, size.pixels(), "out");
    const int side = intOf(info, 3);
    if (side != 3 && side != 5) throw Napi::Error::New(info.Env(), "a median's window has 3 or 5 pixels a side");
    st::medianFilter(team_, source.Data(), size.width, size.height, side, out.Data());
  }

  // shrinkDetail(plane, width ≥ 4, height ≥ 4, variance, out)
  void shrinkDetail(const Napi::CallbackInfo& info) {
    const Size size = sizeOf(info, 1);
    if (size.width < 4 || size.height < 4) throw Napi::Error::New(info.Env(), "a window has four pixels a side");
    auto plane = arrayOf<Napi::Float32Array>(info, 0, size.pixels(), "plane");
    auto variance = arrayOf<Napi::Float32Array>(info, 3, size.pixels(), "variance");
    auto out = arrayOf<Napi::Float32Array>(info, 4, size.pixels(), "out");
    st::shrinkDetail(team_, plane.Data(), size.width, size.height, variance.Data(), out.Data());
  }

  // blurDisk(source, width, height, reach, runs, taps, full, weights, out)
  void blurDisk(const Napi::CallbackInfo& info) {
    const Size size = sizeOf(info, 1);
    const int reach = intOf(info, 3);
    const size_t rows = reach + 1;
    auto source = arrayOf<Napi::Float32Array>(info, 0, size.pixels(), "source");
    const st::Disk disk{reach, arrayOf<Napi::Int32Array>(info, 4, rows, "runs").Data(),
                        arrayOf<Napi::Int32Array>(info, 5, rows, "taps").Data(),
                        arrayOf<Napi::Float64Array>(info, 6, rows, "full").Data(),
                        arrayOf<Napi::Float64Array>(info, 7, rows * rows, "weights").Data()};
    auto out = arrayOf<Napi::Float32Array>(info, 8, size.pixels(), "out");
    st::blurDisk(team_, source.Data(), size.width, size.height, disk, out.Data());
  }

  // quantisedLog(plane, floor, exponents, mantissas, out: Int16Array)
  void quantisedLog(const Napi::CallbackInfo& info) {
    auto plane = info[0].As<Napi::Float32Array>();
    auto exponents = arrayOf<Napi::Float64Array>(info, 2, 256, "exponents");
    auto mantissas = arrayOf<Napi::Float64Array>(info, 3, 2048, "mantissas");
    auto out = arrayOf<Napi::Int16Array>(info, 4, plane.ElementLength(), "out");
    st::quantisedLog(team_, plane.Data(), (int)plane.ElementLength(), info[1].As<Napi::Number>().DoubleValue(),
                     exponents.Data(), mantissas.Data(), out.Data());
  }

  // scoreShifts(value, trust, otherValue, otherTrust, width, height, reachX, reachY, correlation, seen)
  void scoreShifts(const Napi::CallbackInfo& info) {
    const Size size = sizeOf(info, 4);
    auto plane = [&](size_t i) { return arrayOf<Napi::Float32Array>(info, i, size.pixels(), "a level").Data(); };
    const int reachX = intOf(info, 6), reachY = intOf(info, 7);
    if (reachX < 0 || reachX >= size.width || reachY < 0 || reachY >= size.height)
      throw Napi::Error::New(info.Env(), "shifts reach beyond the picture");
    const size_t shifts = (size_t)(2 * reachX + 1) * (2 * reachY + 1);
    st::scoreShifts(team_, {plane(0), plane(1)}, {plane(2), plane(3)}, size.width, size.height, reachX, reachY,
                    arrayOf<Napi::Float64Array>(info, 8, shifts, "correlation").Data(),
                    arrayOf<Napi::Float64Array>(info, 9, shifts, "seen").Data());
  }

  // compare(value, trust, otherValue, otherTrust, width, height, geometry, hessians, gradients, agreement);
  // geometry: the homography of pixel indices, then step, left and top of normalised positions
  void compare(const Napi::CallbackInfo& info) {
    const Size size = sizeOf(info, 4);
    auto plane = [&](size_t i) { return arrayOf<Napi::Float32Array>(info, i, size.pixels(), "a level").Data(); };
    const double* geometry = arrayOf<Napi::Float64Array>(info, 6, 12, "geometry").Data();
    st::Comparison result{arrayOf<Napi::Float64Array>(info, 7, 64 * 64, "hessians").Data(),
                          arrayOf<Napi::Float64Array>(info, 8, 64 * 8, "gradients").Data(), 0, 0};
    auto agreement = arrayOf<Napi::Float64Array>(info, 9, 2, "agreement");
    if (size.width < 2 || size.height < 2) throw Napi::Error::New(info.Env(), "a level has at least 2 × 2 pixels");
    comparer_.compare(team_, {plane(0), plane(1)}, {plane(2), plane(3)}, size.width, size.height, geometry,
                      {geometry[9], geometry[10], geometry[11]}, result);
    agreement[0] = result.correlation;
    agreement[1] = result.trusted;
  }

  static st::Logs logsOf(Napi::Env env, Napi::Array planes, uint32_t at, size_t pixels) {
    return {dataOf<Napi::Int16Array>(env, planes.Get(at), pixels),
            dataOf<Napi::Int16Array>(env, planes.Get(at + 1), pixels)};
  }

  // addDifferences([warm, cool], planes of each source: [warm, cool, next warm, next cool][], fractions, priors, starts,
  // ends, sources, sum)
  void addDifferences(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    auto sum = info[7].As<Napi::Int32Array>();
    const size_t pixels = sum.ElementLength();
    auto given = info[1].As<Napi::Array>();
    const uint32_t count = given.Length();
    const int32_t* fractions = arrayOf<Napi::Int32Array>(info, 2, count, "fractions").Data();
    const int32_t* priors = arrayOf<Napi::Int32Array>(info, 3, count, "priors").Data();
    std::vector<st::Between> sources;
    for (uint32_t k = 0; k < count; k++) {
      auto planes = given.Get(k).As<Napi::Array>();
      sources.push_back({logsOf(env, planes, 0, pixels), logsOf(env, planes, 2, pixels), fractions[k], priors[k]});
    }
    auto starts = info[4].As<Napi::Int32Array>();
    const size_t n = starts.ElementLength();
    const st::Runs runs{(int)n, starts.Data(), arrayOf<Napi::Int32Array>(info, 5, n, "ends").Data(),
                        arrayOf<Napi::Uint8Array>(info, 6, n, "sources").Data()};
    for (size_t i = 0; i < n; i++)
      if (runs.start[i] < 0 || runs.end[i] > (int64_t)pixels || runs.source[i] >= count)
        throw Napi::Error::New(env, "a run lies outside the picture");
    st::addDifferences(team_, logsOf(env, info[0].As<Napi::Array>(), 0, pixels), sources, runs, sum.Data());
  }

  // storeCosts(sum, trust, width, height, window, cost, label, labels)
  void storeCosts(const Napi::CallbackInfo& info) {
    const Size size = sizeOf(info, 2);
    const int label = intOf(info, 6), labels = intOf(info, 7);
    auto sum = arrayOf<Napi::Int32Array>(info, 0, size.pixels(), "sum");
    auto trust = arrayOf<Napi::Float32Array>(info, 1, size.pixels(), "trust");
    auto cost = arrayOf<Napi::Uint16Array>(info, 5, size.pixels() * labels, "cost");
    if (label < 0 || label >= labels) throw Napi::Error::New(info.Env(), "there is no such label");
    st::storeCosts(team_, sum.Data(), trust.Data(), size.width, size.height, intOf(info, 4), cost.Data(), label,
                   labels);
  }

  // blockDifferences([warm, cool], valid | undefined, ladder: [warm, cool][], pixels, places, out: Float32Array)
  void blockDifferences(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    auto view = info[0].As<Napi::Array>();
    const size_t size = view.Get(0u).As<Napi::Int16Array>().ElementLength();
    auto given = info[2].As<Napi::Array>();
    std::vector<st::Logs> ladder;
    for (uint32_t k = 0; k < given.Length(); k++) ladder.push_back(logsOf(env, given.Get(k).As<Napi::Array>(), 0, size));
    if (ladder.size() < 2) throw Napi::Error::New(env, "a ladder has two rungs at least");
    auto pixels = info[3].As<Napi::Int32Array>();
    const int places = intOf(info, 4), blocks = (int)pixels.ElementLength() / 16;
    for (size_t i = 0; i < pixels.ElementLength(); i++)
      if (pixels[i] < 0 || pixels[i] >= (int64_t)size) throw Napi::Error::New(env, "a pixel lies outside the picture");
    auto out = arrayOf<Napi::Float32Array>(info, 5, (size_t)places * blocks, "out");
    const uint8_t* valid = info[1].IsTypedArray() ? dataOf<Napi::Uint8Array>(env, info[1], size) : nullptr;
    st::blockDifferences(team_, logsOf(env, view, 0, size), valid, ladder, pixels.Data(), blocks, places, out.Data());
  }

  // sumLowest(differences: Float32Array[], sources, priors, offsets) → number
  Napi::Value sumLowest(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    auto given = info[0].As<Napi::Array>();
    const size_t views = given.Length();
    auto sources = info[1].As<Napi::Uint8Array>();
    const size_t blocks = sources.ElementLength();
    auto priors = info[2].As<Napi::Float64Array>();
    const size_t depths = views ? priors.ElementLength() / views : 0;
    auto offsets = arrayOf<Napi::Int32Array>(info, 3, depths * views * views, "offsets");
    std::vector<const float*> differences;
    size_t shortest = SIZE_MAX;
    for (size_t v = 0; v < views; v++) {
      auto table = given.Get((uint32_t)v).As<Napi::Float32Array>();
      differences.push_back(table.Data());
      shortest = std::min(shortest, table.ElementLength());
    }
    for (size_t b = 0; b < blocks; b++)
      if (sources[b] >= views) throw Napi::Error::New(env, "there is no such view");
    for (size_t i = 0; i < offsets.ElementLength(); i++)
      if (offsets[i] < 0 || offsets[i] + blocks > shortest) throw Napi::Error::New(env, "there is no such place");
    return Napi::Number::New(env, st::sumLowest(team_, differences, sources.Data(), (int)blocks, priors.Data(),
                                                offsets.Data(), (int)depths));
  }

  // spread(width, height, radii, density, light, border, distance, x, y, w, h, sums: Float32Array of zeros)
  void spread(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    const Size size = sizeOf(info, 0);
    const int border = intOf(info, 5);
    const st::Window window{intOf(info, 7), intOf(info, 8), intOf(info, 9), intOf(info, 10)};
    if (window.width < 0 || window.height < 0) throw Napi::Error::New(env, "a window has a size");
    const size_t targets = (size_t)window.width * window.height;
    const st::Sources sources{size.width, size.height,
                              arrayOf<Napi::Float32Array>(info, 2, size.pixels(), "radii").Data(),
                              arrayOf<Napi::Float64Array>(info, 3, size.pixels(), "density").Data(),
                              arrayOf<Napi::Float64Array>(info, 4, 3 * size.pixels(), "light").Data()};
    for (size_t p = 0; p < size.pixels(); p++)
      if (!(sources.radii[p] >= 0 && sources.radii[p] + 0.5 <= border))
        throw Napi::Error::New(env, "a radius is beyond the border");
    st::spread(team_, sources, border,
               arrayOf<Napi::Float32Array>(info, 6, (size_t)(border + 1) * (border + 1), "distance").Data(), window,
               arrayOf<Napi::Float32Array>(info, 11, 4 * targets, "sums").Data());
  }

  // aggregatePaths(width, height, labels, cost, p1, p2, sum: Uint16Array of zeros)
  void aggregatePaths(const Napi::CallbackInfo& info) {
    const Size size = sizeOf(info, 0);
    const int labels = intOf(info, 2);
    if (labels < 1) throw Napi::Error::New(info.Env(), "there is no label");
    auto cost = arrayOf<Napi::Uint16Array>(info, 3, size.pixels() * labels, "cost");
    auto p2 = arrayOf<Napi::Uint16Array>(info, 5, size.pixels(), "p2");
    auto sum = arrayOf<Napi::Uint16Array>(info, 6, size.pixels() * labels, "sum");
    st::aggregatePaths(team_, size.width, size.height, labels, cost.Data(), intOf(info, 4), p2.Data(), sum.Data());
  }

  // bandEnergy(codes, width, height, energies: Float32Array[3], brightness: Uint8Array[3])
  void bandEnergy(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Size size = sizeOf(info, 1);
    auto codes = arrayOf<Napi::Float32Array>(info, 0, 3 * size.pixels(), "codes");
    const Size full = size;
    auto energies = info[3].As<Napi::Array>(), brightness = info[4].As<Napi::Array>();
    float* energy[st::BANDS];
    uint8_t* light[st::BANDS];
    for (uint32_t l = 0; l < st::BANDS; l++) {
      energy[l] = dataOf<Napi::Float32Array>(env, energies.Get(l), size.pixels());
      light[l] = dataOf<Napi::Uint8Array>(env, brightness.Get(l), size.pixels());
      size = {(size.width + 1) / 2, (size.height + 1) / 2};
    }
    st::bandEnergy(team_, scratch_, codes.Data(), full.width, full.height, energy, light);
  }

  // addToFusion(sums, codes, mask | undefined, index, terms, missing)
  void addToFusion(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    const st::FusionSums sums = fusionOf(env, info[0].As<Napi::Object>());
    const size_t pixels = (size_t)sums.width * sums.height;
    auto codes = arrayOf<Napi::Float32Array>(info, 1, 3 * pixels, "codes");
    const uint8_t* mask = info[2].IsTypedArray() ? dataOf<Napi::Uint8Array>(env, info[2], pixels) : nullptr;
    st::addToFusion(team_, scratch_, sums, codes.Data(), mask, intOf(info, 3),
                    termsOf(env, info[4].As<Napi::Object>(), info[5].As<Napi::Number>().FloatValue()));
  }

  // fusedCodes(sums, slack, out)
  void fusedCodes(const Napi::CallbackInfo& info) {
    const st::FusionSums sums = fusionOf(info.Env(), info[0].As<Napi::Object>());
    auto out = arrayOf<Napi::Float32Array>(info, 2, 3 * (size_t)sums.width * sums.height, "out");
    st::fusedCodes(team_, scratch_, sums, info[1].As<Napi::Number>().FloatValue(), out.Data());
  }

  static st::ConvolveRows* convolution(const Napi::CallbackInfo& info) {
    auto* found = st::findConvolution(info[1].IsString() ? info[1].As<Napi::String>().Utf8Value().c_str() : "");
    if (!found) throw Napi::Error::New(info.Env(), "this machine has no such instruction set");
    return found;
  }

  // edgePart(network, views: Float32Array[3], width, height, gains, near span, far span, levels, x, y, w, h, out)
  void edgePart(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    const Size size = sizeOf(info, 2), part = sizeOf(info, 10);
    auto given = info[1].As<Napi::Array>();
    st::EdgeViews input{size.width, size.height, {}, arrayOf<Napi::Float64Array>(info, 4, 9, "gains").Data(),
                        {info[5].As<Napi::Number>().DoubleValue(), info[6].As<Napi::Number>().DoubleValue()},
                        intOf(info, 7)};
    for (uint32_t v = 0; v < 3; v++)
      input.views[v] = dataOf<Napi::Float32Array>(env, given.Get(v), 3 * size.pixels());
    const int step = 2 << input.levels;
    if (input.levels < 1 || input.levels > 8 || part.width % step || part.height % step)
      throw Napi::Error::New(env, "a part's sides are multiples of what its levels halve");
    edges_.see(team_, arrayOf<Napi::Float32Array>(info, 0, st::EDGE_WEIGHTS, "network").Data(), input,
                {intOf(info, 8), intOf(info, 9), part.width, part.height},
                arrayOf<Napi::Float32Array>(info, 12, 4 * part.pixels(), "out").Data());
  }

  st::Team team_;
  st::Comparer comparer_;
  st::FusionScratch scratch_;
  st::EdgeNetwork edges_;
};

}  // namespace

namespace implicam {

void exportStart(Napi::Env env, Napi::Object exports) { exports.Set("StartKernels", StartKernels::define(env)); }

}  // namespace implicam
