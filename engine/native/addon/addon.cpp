// The bridge to Node: problems in, promises out. Nothing here computes; long calls run on a thread of their own.
#include <chrono>

#include "addon/addon.h"
#include "device/library.h"
#include "support/peak.h"
#include "addon/read_problem.h"
#include "trainer/trainer.h"

namespace {

using namespace implicam;

Napi::Object resultObject(Napi::Env env, const StepResult& r) {
  Napi::Object o = Napi::Object::New(env);
  o.Set("loss", r.loss);
  o.Set("squared", r.squared);
  o.Set("samples", r.samples);
  return o;
}

class TrainerObject final : public Napi::ObjectWrap<TrainerObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Trainer",
                       {
                           InstanceMethod<&TrainerObject::load>("load"),
                           InstanceMethod<&TrainerObject::save>("save"),
                           InstanceMethod<&TrainerObject::saveRuns>("saveRuns"),
                           InstanceMethod<&TrainerObject::setParameters>("setParameters"),
                           InstanceMethod<&TrainerObject::train>("train"),
                           InstanceMethod<&TrainerObject::gradient>("gradient"),
                           InstanceMethod<&TrainerObject::bake>("bake"),
                           InstanceMethod<&TrainerObject::compute>("compute"),
                           InstanceMethod<&TrainerObject::combine>("combine"),
                           InstanceMethod<&TrainerObject::take>("take"),
                           InstanceMethod<&TrainerObject::add>("add"),
                           InstanceMethod<&TrainerObject::apply>("apply"),
                           InstanceMethod<&TrainerObject::join>("join"),
                           InstanceMethod<&TrainerObject::exchange>("exchange"),
                           InstanceMethod<&TrainerObject::leave>("leave"),
                           InstanceMethod<&TrainerObject::abort>("abort"),
                           InstanceMethod<&TrainerObject::ticks>("ticks"),
                           InstanceMethod<&TrainerObject::timePhases>("timePhases"),
                           InstanceMethod<&TrainerObject::close>("close"),
                       });
  }

  // new Trainer(problem, isa, threads), or new Trainer(problem, {library, device})
  explicit TrainerObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TrainerObject>(info) {
    Napi::Object spec = info[0].As<Napi::Object>();
    pixels_ = Napi::Persistent(spec);  // the frames' memory stays JavaScript's
    Problem problem = readProblem(spec);
    size_ = problem.size;
    pixelCount_ = (size_t)problem.model.width * problem.model.height;
    lens_ = problem.model.blurForm == BLUR_LENS;
    try {
      if (info[1].IsObject()) {
        const Place place = placeOf(info[1]);
        trainer_ = createDeviceTrainer(std::move(problem), deviceLibrary(place.library), place.device);
      } else {
        trainer_ = createTrainer(std::move(problem), info[1].As<Napi::String>(), info[2].As<Napi::Number>().Int32Value());
      }
    } catch (const std::exception& e) {
      throw Napi::Error::New(info.Env(), e.what());
    }
  }

 private:
  // The trainer for a call's work, and what must outlive that: a trainer closed meanwhile ends when its work does.
  std::shared_ptr<AnyTrainer> running(const Napi::CallbackInfo& info) {
    if (!trainer_) throw Napi::Error::New(info.Env(), "the trainer is closed");
    return trainer_;
  }

  Napi::Object keep(const Napi::CallbackInfo& info) {
    Napi::Object o = Napi::Object::New(info.Env());
    o.Set("trainer", Value());
    o.Set("pixels", pixels_.Value());
    return o;
  }

  // Runs `work` on a trainer and resolves to its result's losses.
  template <class Work>
  Napi::Value losses(const Napi::CallbackInfo& info, Napi::Object kept, Work work) {
    auto result = std::make_shared<StepResult>();
    return Task::start(
        info.Env(), kept, [trainer = running(info), work, result] { *result = work(*trainer); },
        [result](Napi::Env env) -> Napi::Value { return resultObject(env, *result); });
  }

  // A moment of Adam: as long as the parameters, or empty (null here).
  float* moments(const Napi::CallbackInfo& info, size_t i, const char* name) {
    if (info[i].As<Napi::Float32Array>().ElementLength() == 0) return nullptr;
    return arrayOf<Napi::Float32Array>(info, i, size_, name).Data();
  }

  // load(step, parameters, m, v): Float32Array; empty moments are zeros
  void load(const Napi::CallbackInfo& info) {
    auto theta = arrayOf<Napi::Float32Array>(info, 1, size_, "parameters");
    running(info)->load(info[0].As<Napi::Number>().Int64Value(), theta.Data(), moments(info, 2, "m"),
                        moments(info, 3, "v"));
  }

  // save(parameters, m, v) → step; empty moments are left out
  Napi::Value save(const Napi::CallbackInfo& info) {
    auto theta = arrayOf<Napi::Float32Array>(info, 0, size_, "parameters");
    auto trainer = running(info);
    try {
      trainer->save(theta.Data(), moments(info, 1, "m"), moments(info, 2, "v"));
    } catch (const Refused& e) {
      Napi::Error error = Napi::Error::New(info.Env(), e.what());
      error.Set("code", Napi::String::New(info.Env(), "refused"));
      throw error;
    }
    return Napi::Number::New(info.Env(), (double)trainer->step());
  }

  // saveRuns(ends: Float64Array, out: Float32Array) → Promise<void>; `ends` as from, to, from, to …
  Napi::Value saveRuns(const Napi::CallbackInfo& info) {
    auto ends = info[0].As<Napi::Float64Array>();
    AnyTrainer::Runs runs;
    size_t length = 0;
    for (size_t i = 0; i + 1 < ends.ElementLength(); i += 2) {
      const int64_t from = (int64_t)ends[i], to = (int64_t)ends[i + 1];
      if (from < 0 || to < from || to > (int64_t)size_) throw Napi::Error::New(info.Env(), "a run is not the parameters'");
      runs.push_back({from, to});
      length += 3 * (size_t)(to - from);
    }
    auto out = arrayOf<Napi::Float32Array>(info, 1, length, "out");
    Napi::Object kept = keep(info);
    kept.Set("out", out);
    return Task::start(
        info.Env(), kept, [trainer = running(info), runs, data = out.Data()] { trainer->saveRuns(runs, data); },
        [](Napi::Env env) { return env.Undefined(); });
  }

  void setParameters(const Napi::CallbackInfo& info) {
    running(info)->setParameters(arrayOf<Napi::Float64Array>(info, 0, size_, "parameters").Data());
  }

  // train(factors, gammas, sharp, milliseconds) → Promise<{done, loss, squared, samples}>: as many of the planned
  // steps as fit into the time, one at least.
  Napi::Value train(const Napi::CallbackInfo& info) {
    auto factors = info[0].As<Napi::Float32Array>();
    auto gammas = info[1].As<Napi::Float32Array>();
    auto sharp = info[2].As<Napi::Uint8Array>();
    double limit = info[3].As<Napi::Number>().DoubleValue();
    auto plans = std::make_shared<std::vector<StepPlan>>();
    for (size_t i = 0; i < factors.ElementLength(); i++) plans->push_back({factors[i], gammas[i], sharp[i]});
    auto last = std::make_shared<StepResult>();
    auto done = std::make_shared<size_t>(0);
    auto work = [trainer = running(info), plans, last, done, limit] {
      auto t0 = std::chrono::steady_clock::now();
      for (const StepPlan& plan : *plans) {
        *last = trainer->train(plan);
        ++*done;
        if (std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - t0).count() >= limit) break;
      }
    };
    return Task::start(info.Env(), keep(info), work, [last, done](Napi::Env env) -> Napi::Value {
      Napi::Object o = resultObject(env, *last);
      o.Set("done", (double)*done);
      return o;
    });
  }

  // gradient(step, gamma, sharp) → Promise<{loss, squared, samples, gradient: Float64Array}>
  Napi::Value gradient(const Napi::CallbackInfo& info) {
    int64_t step = info[0].As<Napi::Number>().Int64Value();
    StepPlan plan{0, info[1].As<Napi::Number>().FloatValue(), info[2].As<Napi::Boolean>().Value() ? 1 : 0};
    auto out = std::make_shared<std::vector<double>>(size_);
    auto result = std::make_shared<StepResult>();
    return Task::start(
        info.Env(), keep(info),
        [trainer = running(info), step, plan, out, result] { *result = trainer->gradient(step, plan, out->data()); },
        [out, result](Napi::Env env) -> Napi::Value {
          Napi::Object o = resultObject(env, *result);
          Napi::Float64Array g = Napi::Float64Array::New(env, out->size());
          std::copy(out->begin(), out->end(), g.Data());
          o.Set("gradient", g);
          return o;
        });
  }

  // bake(radiance, defocus: Float32Array, filled) → Promise<void>
  Napi::Value bake(const Napi::CallbackInfo& info) {
    auto radiance = arrayOf<Napi::Float32Array>(info, 0, 3 * pixelCount_, "radiance");
    auto defocus = arrayOf<Napi::Float32Array>(info, 1, lens_ ? pixelCount_ : 0, "defocus");
    Napi::Object kept = keep(info);
    kept.Set("radiance", radiance);
    kept.Set("defocus", defocus);
    float *r = radiance.Data(), *d = defocus.Data();
    return Task::start(
        info.Env(), kept, [trainer = running(info), r, d] { trainer->bake(r, d); },
        [](Napi::Env env) { return env.Undefined(); });
  }

  // compute(factor, gamma, sharp, lanes) → Promise<losses of the hosted shards>
  Napi::Value compute(const Napi::CallbackInfo& info) {
    StepPlan plan{info[0].As<Napi::Number>().FloatValue(), info[1].As<Napi::Number>().FloatValue(),
                  info[2].As<Napi::Boolean>().Value() ? 1 : 0};
    const int lanes = info[3].As<Napi::Number>().Int32Value();
    return losses(info, keep(info), [plan, lanes](AnyTrainer& trainer) { return trainer.compute(plan, lanes); });
  }

  static Lane laneOf(const Napi::CallbackInfo& info, size_t i) {
    return {info[i].As<Napi::Number>().Int32Value(), info[i + 1].As<Napi::Number>().Int32Value()};
  }

  // combine(into, from, lane, lanes) → Promise<void>
  Napi::Value combine(const Napi::CallbackInfo& info) {
    int into = info[0].As<Napi::Number>().Int32Value(), from = info[1].As<Napi::Number>().Int32Value();
    const Lane lane = laneOf(info, 2);
    return Task::start(
        info.Env(), keep(info), [trainer = running(info), into, from, lane] { trainer->combine(into, from, lane); },
        [](Napi::Env env) { return env.Undefined(); });
  }

  // take(slot, lane, lanes, out) → Promise<bytes needed; written where `out` has so many>
  Napi::Value take(const Napi::CallbackInfo& info) {
    int slot = info[0].As<Napi::Number>().Int32Value();
    const Lane lane = laneOf(info, 1);
    auto out = info[3].As<Napi::Uint8Array>();
    Napi::Object kept = keep(info);
    kept.Set("out", out);
    uint8_t* data = out.Data();
    size_t capacity = out.ByteLength();
    auto size = std::make_shared<size_t>(0);
    return Task::start(
        info.Env(), kept,
        [trainer = running(info), slot, lane, data, capacity, size] { *size = trainer->take(slot, lane, data, capacity); },
        [size](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, (double)*size); });
  }

  // add(slot, bytes) → Promise<void>
  Napi::Value add(const Napi::CallbackInfo& info) {
    int slot = info[0].As<Napi::Number>().Int32Value();
    auto bytes = info[1].As<Napi::Uint8Array>();
    Napi::Object kept = keep(info);
    kept.Set("bytes", bytes);
    const uint8_t* data = bytes.Data();
    size_t size = bytes.ByteLength();
    return Task::start(
        info.Env(), kept, [trainer = running(info), slot, data, size] { trainer->add(slot, data, size); },
        [](Napi::Env env) { return env.Undefined(); });
  }

  // apply(roots) → Promise<losses of the whole step>; a root is a slot's number or bytes
  Napi::Value apply(const Napi::CallbackInfo& info) {
    auto given = info[0].As<Napi::Array>();
    Napi::Object kept = keep(info);
    kept.Set("roots", given);
    std::vector<AnyTrainer::Root> roots(given.Length());
    for (uint32_t i = 0; i < given.Length(); i++) {
      Napi::Value value = given[i];
      if (value.IsNumber()) {
        roots[i].slot = value.As<Napi::Number>().Int32Value();
        continue;
      }
      auto bytes = value.As<Napi::Uint8Array>();
      roots[i].received = true;
      roots[i].bytes = bytes.Data();
      roots[i].size = bytes.ByteLength();
    }
    return losses(info, kept, [roots](AnyTrainer& trainer) { return trainer.apply(roots); });
  }

  // join(carrier, id: Uint8Array, rank, ranks, milliseconds) → Promise<void>
  Napi::Value join(const Napi::CallbackInfo& info) {
    auto id = info[1].As<Napi::Uint8Array>();
    const AnyTrainer::Membership membership = {info[0].As<Napi::String>(), {id.Data(), id.Data() + id.ByteLength()},
                                               info[2].As<Napi::Number>().Int32Value(),
                                               info[3].As<Napi::Number>().Int32Value()};
    const int64_t ms = info[4].As<Napi::Number>().Int64Value();
    return Task::start(
        info.Env(), keep(info), [trainer = running(info), membership, ms] { trainer->join(membership, ms); },
        [](Napi::Env env) { return env.Undefined(); });
  }

  // exchange(moves: Int32Array, milliseconds) → Promise<{member, why}>; moves as operation, slot, other, operation …
  Napi::Value exchange(const Napi::CallbackInfo& info) {
    auto given = info[0].As<Napi::Int32Array>();
    std::vector<AnyTrainer::Move> moves;
    for (size_t i = 0; i + 2 < given.ElementLength(); i += 3) moves.push_back({given[i], given[i + 1], given[i + 2]});
    const int64_t ms = info[1].As<Napi::Number>().Int64Value();
    auto lost = std::make_shared<AnyTrainer::PeerLost>();
    return Task::start(
        info.Env(), keep(info),
        [trainer = running(info), moves, ms, lost] { *lost = trainer->exchange(moves, ms); },
        [lost](Napi::Env env) -> Napi::Value {
          Napi::Object o = Napi::Object::New(env);
          o.Set("member", lost->member);
          o.Set("why", lost->why);
          return o;
        });
  }

  // leave(milliseconds) → Promise<void>
  Napi::Value leave(const Napi::CallbackInfo& info) {
    const int64_t ms = info[0].As<Napi::Number>().Int64Value();
    return Task::start(
        info.Env(), keep(info), [trainer = running(info), ms] { trainer->leave(ms); },
        [](Napi::Env env) { return env.Undefined(); });
  }

  // At any time; what waits for other devices ends soon.
  void abort(const Napi::CallbackInfo&) {
    if (trainer_) trainer_->abort();
  }

  // timePhases(on): whether train() tells its phases where that makes it slower
  void timePhases(const Napi::CallbackInfo& info) { running(info)->timePhases(info[0].As<Napi::Boolean>()); }

  // ticks() → processor ticks (nanoseconds of a device) by phase since the last call
  Napi::Value ticks(const Napi::CallbackInfo& info) {
    Napi::Array a = Napi::Array::New(info.Env(), PHASES);
    auto trainer = running(info);
    for (uint32_t p = 0; p < PHASES; p++) a.Set(p, (double)trainer->ticks()[p]);
    trainer->clearTicks();
    return a;
  }

  // At any time; a call in progress ends soon, rejected.
  void close(const Napi::CallbackInfo&) {
    if (trainer_) trainer_->cancel();
    trainer_.reset();
    pixels_.Reset();
  }

  Napi::ObjectReference pixels_;
  std::shared_ptr<AnyTrainer> trainer_;
  size_t size_ = 0, pixelCount_ = 0;
  bool lens_ = false;
};

// isas() → the instruction sets that this processor runs, widest first
Napi::Value isas(const Napi::CallbackInfo& info) {
  Napi::Array a = Napi::Array::New(info.Env());
  for (const char* isa : {"avx512", "avx2", "sse2", "neon"})
    if (findKernels(isa)) a.Set(a.Length(), Napi::String::New(info.Env(), isa));
  return a;
}

// peak(isa, threads, seconds) → Promise<FLOP/s of multiply-adds of all threads together>
Napi::Value peak(const Napi::CallbackInfo& info) {
  const Kernels<float>* kernels = findKernels(info[0].As<Napi::String>());
  if (!kernels) throw Napi::Error::New(info.Env(), "this processor cannot run those kernels");
  int threads = info[1].As<Napi::Number>().Int32Value();
  double seconds = info[2].As<Napi::Number>().DoubleValue();
  auto total = std::make_shared<double>(0);
  auto work = [kernels, threads, seconds, total] { *total = measurePeak(*kernels, threads, seconds); };
  return Task::start(info.Env(), Napi::Object::New(info.Env()), work,
                     [total](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, *total); });
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("Trainer", TrainerObject::define(env));
  exportRenderer(env, exports);
  exportDevices(env, exports);
  exportStart(env, exports);
  exports.Set("isas", Napi::Function::New(env, isas));
  exports.Set("peak", Napi::Function::New(env, peak));
  return exports;
}

}  // namespace

NODE_API_MODULE(implicam, init)
