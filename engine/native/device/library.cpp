#include "device/library.h"

#include <dlfcn.h>

#include <map>
#include <mutex>

namespace implicam {

const DeviceApi& deviceLibrary(const std::string& path) {
  static std::mutex gate;
  static std::map<std::string, const DeviceApi*> opened;
  std::lock_guard<std::mutex> lock(gate);
  if (auto it = opened.find(path); it != opened.end()) return *it->second;
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(dlerror());
  auto entry = (const DeviceApi* (*)())dlsym(library, "implicam_device_api");
  if (!entry) throw std::runtime_error(path + " is not a library of implicam");
  const DeviceApi* api = entry();
  if (api->version != DEVICE_API_VERSION || api->modelBytes != (int32_t)sizeof(Model))
    throw std::runtime_error(path + " is of another version: run npm run build:native");
  opened[path] = api;
  return *api;
}

}  // namespace implicam
