// What the start's kernels take, read out of JavaScript's arguments.
#pragma once
#include "addon/addon.h"
#include "start/fusion.h"

namespace implicam {

inline int intOf(const Napi::CallbackInfo& info, size_t i) { return info[i].As<Napi::Number>().Int32Value(); }

// Width and height, from arguments i and i + 1.
struct Size {
  int width, height;
  size_t pixels() const { return (size_t)width * height; }
};

inline Size sizeOf(const Napi::CallbackInfo& info, size_t i) {
  Size size{intOf(info, i), intOf(info, i + 1)};
  if (size.width < 1 || size.height < 1) throw Napi::Error::New(info.Env(), "a plane has a width and a height");
  return size;
}

template <class Array>
auto* dataOf(Napi::Env env, Napi::Value value, size_t length) {
  Array a = value.As<Array>();
  if (a.ElementLength() < length) throw Napi::Error::New(env, "an array of the start is too short");
  return a.Data();
}

inline start::LevelSums levelOf(Napi::Env env, Napi::Object level, size_t pixels) {
  auto floats = [&](Napi::Value v) { return dataOf<Napi::Float32Array>(env, v, pixels); };
  auto light = level.Get("light").As<Napi::Array>();
  return {floats(level.Get("most")), floats(level.Get("weight")),
          {floats(light.Get(0u)), floats(light.Get(1u)), floats(light.Get(2u))}};
}

// The FusionSums of develop/start/fusion/sums.ts.
inline start::FusionSums fusionOf(Napi::Env env, Napi::Object sums) {
  const Size size{sums.Get("width").As<Napi::Number>().Int32Value(), sums.Get("height").As<Napi::Number>().Int32Value()};
  if (size.width < 1 || size.height < 1) throw Napi::Error::New(env, "a fusion has a width and a height");
  const size_t pixels = size.pixels(), half = (size_t)((size.width + 1) / 2) * ((size.height + 1) / 2);
  auto floats = [&](const char* name) { return dataOf<Napi::Float32Array>(env, sums.Get(name), pixels); };
  auto bytes = [&](const char* name) { return dataOf<Napi::Uint8Array>(env, sums.Get(name), 3 * pixels); };
  return {size.width,
          size.height,
          levelOf(env, sums.Get("full").As<Napi::Object>(), pixels),
          levelOf(env, sums.Get("half").As<Napi::Object>(), half),
          bytes("least"),
          bytes("greatest"),
          dataOf<Napi::Uint16Array>(env, sums.Get("best"), pixels),
          floats("before"),
          floats("after"),
          floats("latest")};
}

// The FusionTerms of sums.ts, and what a pixel that is not there has of evidence.
inline start::FusionTerms termsOf(Napi::Env env, Napi::Object given, float missing) {
  start::FusionTerms terms{};
  terms.least = given.Get("least").As<Napi::Number>().FloatValue();
  terms.missing = missing;
  auto tables = given.Get("tables").As<Napi::Array>(), windows = given.Get("windows").As<Napi::Array>();
  for (uint32_t l = 0; l < start::BANDS; l++) {
    terms.tables[l] = dataOf<Napi::Float32Array>(env, tables.Get(l), 256);
    auto list = windows.Get(l).As<Napi::Array>();
    if (list.Length() != start::WINDOWS) throw Napi::Error::New(env, "a band has five windows");
    for (uint32_t k = 0; k < start::WINDOWS; k++) {
      auto window = list.Get(k).As<Napi::Object>();
      auto kernel = window.Get("kernel").As<Napi::Float32Array>();
      const int radius = (int)kernel.ElementLength() - 1, side = window.Get("side").As<Napi::Number>().Int32Value();
      if (radius < 0 || radius > start::WIDEST_WINDOW || side < 1) throw Napi::Error::New(env, "a window is too wide");
      terms.windows[l][k] = {side, radius, kernel.Data(), window.Get("weight").As<Napi::Number>().FloatValue(),
                             window.Get("margin").As<Napi::Number>().FloatValue()};
    }
  }
  return terms;
}

}  // namespace implicam
