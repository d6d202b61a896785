// The bridge to devices: what there is, how fast it is, and renders on it.
#include <memory>

#include "addon/addon.h"
#include "device/library.h"

namespace implicam {
namespace {

// A baked scene held on a device.
class DeviceRendererObject final : public Napi::ObjectWrap<DeviceRendererObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "DeviceRenderer",
                       {InstanceMethod<&DeviceRendererObject::render>("render")});
  }

  // new DeviceRenderer(width, height, radiance, defocus, {library, device}): planes of `Trainer.bake`
  explicit DeviceRendererObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<DeviceRendererObject>(info) {
    int width = info[0].As<Napi::Number>().Int32Value(), height = info[1].As<Napi::Number>().Int32Value();
    pixels_ = (size_t)width * height;
    auto radiance = arrayOf<Napi::Float32Array>(info, 2, 3 * pixels_, "radiance");
    auto defocus = info[3].As<Napi::Float32Array>();
    const float* lens = defocus.ElementLength() == pixels_ ? defocus.Data() : nullptr;
    const Place place = placeOf(info[4]);
    guarded(info, [&] {
      api_ = &deviceLibrary(place.library);
      deviceCall([&](DeviceMessage* m) {
        return api_->openRenderer(width, height, radiance.Data(), lens, place.device.c_str(), &renderer_, m);
      });
    });
  }
  ~DeviceRendererObject() override {
    if (renderer_) api_->closeRenderer(renderer_);
  }

 private:
  template <class Work>
  static void guarded(const Napi::CallbackInfo& info, Work work) {
    try {
      work();
    } catch (const std::exception& e) {
      throw Napi::Error::New(info.Env(), e.what());
    }
  }

  // render(focus, scale, gain, curve | null, target: Float32Array, filled): blocks until it is done
  void render(const Napi::CallbackInfo& info) {
    const float* curve = nullptr;
    if (info[3].IsTypedArray()) curve = arrayOf<Napi::Float32Array>(info, 3, 3 * CURVE_SIZE, "curve").Data();
    auto target = arrayOf<Napi::Float32Array>(info, 4, 3 * pixels_, "target");
    const float focus = info[0].As<Napi::Number>().FloatValue(), scale = info[1].As<Napi::Number>().FloatValue();
    const float gain = info[2].As<Napi::Number>().FloatValue();
    guarded(info, [&] {
      deviceCall([&](DeviceMessage* m) { return api_->render(renderer_, focus, scale, gain, curve, target.Data(), m); });
    });
  }

  size_t pixels_ = 0;
  const DeviceApi* api_ = nullptr;
  void* renderer_ = nullptr;
};

// devices(library) → {kind, architectures, driver, runtime, devices: [{name, uuid, major, minor, processors, memory,
// free}]}; throws with the reason where the library or the driver cannot be used
Napi::Value devices(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  try {
    const DeviceApi& api = deviceLibrary(info[0].As<Napi::String>());
    DeviceVersions versions{};
    int32_t count = 0;
    deviceCall([&](DeviceMessage* m) { return api.versions(&versions, m); });
    Napi::Object o = Napi::Object::New(env);
    o.Set("kind", api.kind);
    o.Set("architectures", api.architectures);
    o.Set("driver", versions.driver);
    o.Set("runtime", versions.runtime);
    Napi::Array list = Napi::Array::New(env);
    o.Set("devices", list);
    DeviceMessage why{};
    if (api.count(&count, &why)) o.Set("reason", why.text);
    for (int32_t i = 0; i < count; i++) {
      DeviceInfo d{};
      deviceCall([&](DeviceMessage* m) { return api.describe(i, &d, m); });
      Napi::Object q = Napi::Object::New(env);
      q.Set("name", d.name);
      q.Set("uuid", d.uuid);
      q.Set("major", d.major);
      q.Set("minor", d.minor);
      q.Set("processors", d.processors);
      q.Set("memory", (double)d.memory);
      q.Set("free", (double)d.free);
      list.Set((uint32_t)i, q);
    }
    return o;
  } catch (const std::exception& e) {
    throw Napi::Error::New(env, e.what());
  }
}

// devicePeak({library, device}, seconds) → Promise<{flops, bytes}>: multiply-adds and copied bytes a second
Napi::Value devicePeak(const Napi::CallbackInfo& info) {
  const Place place = placeOf(info[0]);
  const double seconds = info[1].As<Napi::Number>().DoubleValue();
  auto peak = std::make_shared<std::pair<double, double>>();
  auto work = [place, seconds, peak] {
    deviceCall([&](DeviceMessage* m) {
      return deviceLibrary(place.library).peak(place.device.c_str(), seconds, &peak->first, &peak->second, m);
    });
  };
  return Task::start(info.Env(), Napi::Object::New(info.Env()), work, [peak](Napi::Env env) -> Napi::Value {
    Napi::Object o = Napi::Object::New(env);
    o.Set("flops", peak->first);
    o.Set("bytes", peak->second);
    return o;
  });
}

// carrier(library, path) → {version, path}: the library of NCCL at the path, as the device library finds it; throws with
// the reason where it cannot be used
Napi::Value carrier(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  try {
    const DeviceApi& api = deviceLibrary(info[0].As<Napi::String>());
    const std::string path = info[1].As<Napi::String>();
    DeviceCarrier found{};
    deviceCall([&](DeviceMessage* m) { return api.carrier(path.c_str(), &found, m); });
    Napi::Object o = Napi::Object::New(env);
    o.Set("version", found.version);
    o.Set("path", found.path);
    return o;
  } catch (const std::exception& e) {
    throw Napi::Error::New(env, e.what());
  }
}

// newExchangeId(library, path) → Promise<Uint8Array>
Napi::Value newExchangeId(const Napi::CallbackInfo& info) {
  const std::string library = info[0].As<Napi::String>(), path = info[1].As<Napi::String>();
  auto id = std::make_shared<std::vector<uint8_t>>(EXCHANGE_ID_BYTES);
  auto work = [library, path, id] {
    const DeviceApi& api = deviceLibrary(library);
    deviceCall([&](DeviceMessage* m) { return api.newExchangeId(path.c_str(), id->data(), m); });
  };
  return Task::start(info.Env(), Napi::Object::New(info.Env()), work, [id](Napi::Env env) -> Napi::Value {
    Napi::Uint8Array a = Napi::Uint8Array::New(env, id->size());
    std::copy(id->begin(), id->end(), a.Data());
    return a;
  });
}

}  // namespace

void exportDevices(Napi::Env env, Napi::Object exports) {
  exports.Set("DeviceRenderer", DeviceRendererObject::define(env));
  exports.Set("devices", Napi::Function::New(env, devices));
  exports.Set("devicePeak", Napi::Function::New(env, devicePeak));
  exports.Set("carrier", Napi::Function::New(env, carrier));
  exports.Set("newExchangeId", Napi::Function::New(env, newExchangeId));
}

}  // namespace implicam
