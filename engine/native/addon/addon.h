// What the parts of the bridge to Node share.
#pragma once
#include <napi.h>

#include <functional>
#include <string>

#include "trainer/trainer.h"

namespace implicam {

// Runs `work` off the JavaScript thread and resolves a promise with what `done` makes of it.
class Task final : public Napi::AsyncWorker {
 public:
  Task(Napi::Env env, Napi::Object keep, std::function<void()> work, std::function<Napi::Value(Napi::Env)> done)
      : Napi::AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        keep_(Napi::Persistent(keep)),
        work_(std::move(work)),
        done_(std::move(done)) {}

  static Napi::Promise start(Napi::Env env, Napi::Object keep, std::function<void()> work,
                             std::function<Napi::Value(Napi::Env)> done) {
    auto* task = new Task(env, keep, std::move(work), std::move(done));
    Napi::Promise promise = task->deferred_.Promise();
    task->Queue();
    return promise;
  }

 protected:
  void Execute() override {
    try {
      work_();
    } catch (const Refused& e) {
      refused_ = true;
      SetError(e.what());
    } catch (const std::exception& e) {
      SetError(e.what());
    }
  }
  void OnOK() override { deferred_.Resolve(done_(Env())); }
  void OnError(const Napi::Error& e) override {
    if (refused_) e.Set("code", Napi::String::New(Env(), "refused"));
    deferred_.Reject(e.Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference keep_;
  std::function<void()> work_;
  std::function<Napi::Value(Napi::Env)> done_;
  bool refused_ = false;
};

template <class Array>
Array arrayOf(const Napi::CallbackInfo& info, size_t i, size_t length, const char* name) {
  Array a = info[i].As<Array>();
  if (a.ElementLength() != length) throw Napi::Error::New(info.Env(), std::string(name) + " has the wrong length");
  return a;
}

// A device library and a device of it.
struct Place {
  std::string library, device;
};

inline Place placeOf(const Napi::Value& value) {
  Napi::Object o = value.As<Napi::Object>();
  return {o.Get("library").As<Napi::String>(), o.Get("device").As<Napi::String>()};
}

// Renderer: see addon_renderer.cpp.
void exportRenderer(Napi::Env env, Napi::Object exports);

// DeviceRenderer, devices, devicePeak, carrier and newExchangeId: see addon_device.cpp.
void exportDevices(Napi::Env env, Napi::Object exports);

// StartKernels: see addon_start.cpp.
void exportStart(Napi::Env env, Napi::Object exports);

}  // namespace implicam
