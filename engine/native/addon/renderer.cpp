// The bridge to renders on the processor.
#include "render/renderer.h"

#include "addon/addon.h"

namespace implicam {
namespace {

class RendererObject final : public Napi::ObjectWrap<RendererObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Renderer", {InstanceMethod<&RendererObject::render>("render")});
  }

  // new Renderer(width, height, radiance, defocus, isa, threads): planes of `Trainer.bake`
  explicit RendererObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<RendererObject>(info) {
    int width = info[0].As<Napi::Number>().Int32Value(), height = info[1].As<Napi::Number>().Int32Value();
    size_t pixels = (size_t)width * height;
    auto radiance = arrayOf<Napi::Float32Array>(info, 2, 3 * pixels, "radiance");
    auto defocus = info[3].As<Napi::Float32Array>();
    bool lens = defocus.ElementLength() == pixels;
    try {
      renderer_ = std::make_unique<Renderer>(width, height, radiance.Data(), lens ? defocus.Data() : nullptr,
                                             info[4].As<Napi::String>().Utf8Value(),
                                             info[5].As<Napi::Number>().Int32Value());
    } catch (const std::exception& e) {
      throw Napi::Error::New(info.Env(), e.what());
    }
  }

 private:
  // render(focus, scale, gain, curve | null, target: Float32Array, filled): on the calling thread and the renderer's own
  void render(const Napi::CallbackInfo& info) {
    const float* curve = nullptr;
    if (info[3].IsTypedArray()) curve = arrayOf<Napi::Float32Array>(info, 3, 3 * CURVE_SIZE, "curve").Data();
    auto target =
        arrayOf<Napi::Float32Array>(info, 4, 3 * (size_t)renderer_->width() * renderer_->height(), "target");
    renderer_->render(info[0].As<Napi::Number>().FloatValue(), info[1].As<Napi::Number>().FloatValue(),
                      info[2].As<Napi::Number>().FloatValue(), curve, target.Data());
  }

  std::unique_ptr<Renderer> renderer_;
};

}  // namespace

void exportRenderer(Napi::Env env, Napi::Object exports) { exports.Set("Renderer", RendererObject::define(env)); }

}  // namespace implicam
