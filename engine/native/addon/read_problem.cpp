#include "addon/read_problem.h"

namespace implicam {
namespace {

double number(const Napi::Object& o, const char* name) {
  Napi::Value v = o.Get(name);
  if (v.IsBoolean()) return v.As<Napi::Boolean>().Value();
  if (!v.IsNumber()) throw Napi::Error::New(o.Env(), std::string("problem: ") + name + " is not a number");
  return v.As<Napi::Number>().DoubleValue();
}

Napi::Object object(const Napi::Object& o, const char* name) {
  Napi::Value v = o.Get(name);
  if (!v.IsObject()) throw Napi::Error::New(o.Env(), std::string("problem: ") + name + " is missing");
  return v.As<Napi::Object>();
}

Napi::Array array(const Napi::Object& o, const char* name, size_t most) {
  Napi::Array a = object(o, name).As<Napi::Array>();
  if (a.Length() > most) throw Napi::Error::New(o.Env(), std::string("problem: too many ") + name);
  return a;
}

std::vector<float> floats(const Napi::Object& o, const char* name) {
  Napi::Array a = array(o, name, 1 << 20);
  std::vector<float> out(a.Length());
  for (uint32_t i = 0; i < a.Length(); i++) out[i] = a.Get(i).As<Napi::Number>().FloatValue();
  return out;
}

Rect rect(const Napi::Object& o, const char* name) {
  Napi::Object r = object(o, name);
  return {(int)number(r, "x"), (int)number(r, "y"), (int)number(r, "width"), (int)number(r, "height")};
}

GridSpec grid(const Napi::Object& o, const char* name) {
  Napi::Array levels = array(o, name, MAX_LEVELS);
  GridSpec g{};
  g.levels = (int)levels.Length();
  for (int l = 0; l < g.levels; l++) {
    Napi::Object q = levels.Get((uint32_t)l).As<Napi::Object>();
    g.level[l] = {(int)number(q, "offset"), (int)number(q, "nx"),     (int)number(q, "ny"),
                  (int)number(q, "nodes"),  (int)number(q, "hashed"), (float)number(q, "scale")};
    g.nodes = g.level[l].offset + (g.level[l].nodes + 7) / 8 * 8;
  }
  return g;
}

NetSpec network(const Napi::Object& o, const char* name) {
  Napi::Object q = object(o, name);
  Napi::Array widths = array(q, "widths", MAX_LAYERS + 1);
  NetSpec n{};
  n.layers = widths.Length() ? (int)widths.Length() - 1 : 0;
  for (int l = 0; l <= n.layers && widths.Length(); l++)
    n.width[l] = widths.Get((uint32_t)l).As<Napi::Number>().Int32Value();
  n.offset = (int64_t)number(q, "offset");
  for (int l = 1; l <= n.layers; l++) n.size += (int64_t)n.width[l] * (n.width[l - 1] + 1);
  return n;
}

Loss losses(const Napi::Object& o) {
  Loss l{};
  l.inequality = (int)number(o, "inequality");
  l.slope = (int)number(o, "slope");
  l.sharpness = (float)number(o, "sharpness");
  l.sharpnessTau = (float)number(o, "sharpnessTau");
  l.randomGamma = (float)number(o, "randomGamma");
  l.smoothDefocus = (float)number(o, "smoothDefocus");
  l.toneSmooth = (float)number(o, "toneSmooth");
  l.tonePin = (float)number(o, "tonePin");
  l.exposureAnchor = (float)number(o, "exposureAnchor");
  l.rigidity = (float)number(o, "rigidity");
  return l;
}

void readViews(const Napi::Object& spec, Problem& p) {
  Napi::Array views = array(spec, "views", 100000);
  for (uint32_t i = 0; i < views.Length(); i++) {
    Napi::Object q = views.Get(i).As<Napi::Object>();
    View v{};
    v.focus = (int)number(q, "focus");
    v.aperture = (float)number(q, "aperture");
    v.registration = (int64_t)number(q, "registration");
    std::vector<float> h = floats(q, "homography");
    for (int k = 0; k < 8; k++) v.homography[k] = h.at(k);
    v.first = (int)p.frameOrder.size();
    for (float f : floats(q, "frames")) p.frameOrder.push_back((int)f);
    v.frames = (int)p.frameOrder.size() - v.first;
    p.views.push_back(v);
  }
}

void readShards(const Napi::Object& spec, Problem& p) {
  Napi::Array shards = array(spec, "shards", 100000);
  for (uint32_t i = 0; i < shards.Length(); i++) {
    Napi::Object q = shards.Get(i).As<Napi::Object>();
    Shard s{};
    s.tiled = (int)number(q, "tiled");
    s.own = rect(q, "own");
    s.grid = rect(q, "grid");
    s.draws = (int)number(q, "draws");
    s.drawOffset = (int64_t)number(q, "drawOffset");
    s.drawStride = (int64_t)number(q, "drawStride");
    s.key = (uint32_t)number(q, "key");
    s.atlasGrid = (int64_t)number(q, "atlasGrid");
    s.mapGrid = (int64_t)number(q, "mapGrid");
    p.shards.push_back(s);
  }
}

void readFrames(const Napi::Object& spec, Problem& p) {
  size_t pixels = (size_t)p.model.width * p.model.height;
  Napi::Array frames = array(spec, "frames", 100000);
  for (uint32_t i = 0; i < frames.Length(); i++) {
    Napi::Object q = frames.Get(i).As<Napi::Object>();
    Napi::TypedArray data = q.Get("data").As<Napi::TypedArray>();
    if (data.ElementLength() != 3 * pixels) throw Napi::Error::New(spec.Env(), "problem: a frame has the wrong size");
    FrameData f{};
    if (data.TypedArrayType() == napi_uint16_array) f.data16 = data.As<Napi::Uint16Array>().Data();
    else f.data8 = data.As<Napi::Uint8Array>().Data();
    if (q.Get("mask").IsTypedArray()) {
      auto mask = q.Get("mask").As<Napi::Uint8Array>();
      if (mask.ElementLength() != pixels) throw Napi::Error::New(spec.Env(), "problem: a mask has the wrong size");
      f.mask = mask.Data();
    }
    p.frames.push_back(f);
  }
}

const float* startPlanes(const Napi::Object& spec, const char* name, size_t length) {
  if (!spec.Get(name).IsTypedArray()) return nullptr;
  auto a = spec.Get(name).As<Napi::Float32Array>();
  if (a.ElementLength() != length) throw Napi::Error::New(spec.Env(), std::string("problem: wrong size of ") + name);
  return a.Data();
}

}  // namespace

Problem readProblem(Napi::Object spec) {
  Problem p;
  Model& m = p.model;
  const std::pair<const char*, int32_t*> integers[] = {
      {"width", &m.width},       {"height", &m.height},     {"residual", &m.residual},     {"siren", &m.siren},
      {"logLight", &m.logLight}, {"blurForm", &m.blurForm}, {"taps", &m.taps},             {"patch", &m.patch},
      {"reach", &m.reach},       {"margin", &m.margin},     {"blurGrid", &m.blurGrid},     {"knots", &m.knots},
      {"toneHidden", &m.toneHidden}, {"focusSettings", &m.focusSettings}, {"exposures", &m.exposures}};
  for (auto [name, to] : integers) *to = (int32_t)number(spec, name);
  const std::pair<const char*, int64_t*> offsets[] = {{"tone", &m.tone},   {"exposure", &m.exposure},
                                                      {"focus", &m.focus}, {"kappa", &m.kappa},
                                                      {"registration", &m.registration}, {"shared", &m.shared}};
  for (auto [name, to] : offsets) *to = (int64_t)number(spec, name);
  m.maxShift = (float)number(spec, "maxShift");
  m.toneLow = (float)number(spec, "toneLow");
  m.kappaStart = (float)number(spec, "kappaStart");
  m.evSquash = (float)number(spec, "evSquash");
  m.seed = (uint32_t)number(spec, "seed");
  m.atlasGrid = grid(spec, "atlasLevels");
  m.mapGrid = grid(spec, "mapLevels");
  m.atlas = network(spec, "atlas");
  m.atlas.sine = m.siren;
  m.atlas.omega = (float)number(spec, "omega");
  m.map = network(spec, "map");
  m.blur = network(spec, "blur");
  m.loss = losses(object(spec, "loss"));
  if (m.taps > MAX_TAPS) throw Napi::Error::New(spec.Env(), "problem: too many taps");
  p.evBase = floats(spec, "evBase");
  p.evBasis = floats(spec, "evBasis");
  readViews(spec, p);
  readShards(spec, p);
  readFrames(spec, p);
  m.views = (int)p.views.size();
  m.frames = (int)p.frames.size();
  m.shards = (int)p.shards.size();
  size_t pixels = (size_t)m.width * m.height;
  m.startRadiance = startPlanes(spec, "startRadiance", 3 * pixels);
  m.startDefocus = m.map.layers ? startPlanes(spec, "startDefocus", pixels) : nullptr;
  Napi::Array groups = array(spec, "groups", 100000);
  for (uint32_t i = 0; i < groups.Length(); i++) {
    Napi::Object q = groups.Get(i).As<Napi::Object>();
    p.groups.push_back({(int64_t)number(q, "offset"), (int64_t)number(q, "size"), number(q, "rate"),
                        number(q, "sparse") != 0, (int32_t)number(q, "shard")});
  }
  Napi::Array hosted = array(spec, "hosted", 100000);
  for (uint32_t i = 0; i < hosted.Length(); i++) {
    int32_t s = hosted.Get(i).As<Napi::Number>().Int32Value();
    if (s < 0 || s >= m.shards || (i > 0 && s <= p.hosted.back()))
      throw Napi::Error::New(spec.Env(), "problem: hosted shards are not ascending numbers of shards");
    p.hosted.push_back(s);
  }
  if (p.hosted.empty()) throw Napi::Error::New(spec.Env(), "problem: no hosted shards");
  p.size = (int64_t)number(spec, "size");
  p.beta1 = number(spec, "beta1");
  p.beta2 = number(spec, "beta2");
  return p;
}

}  // namespace implicam
