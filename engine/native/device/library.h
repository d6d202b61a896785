// The library of device kernels, opened at run time: a machine without it, or without a driver, is none the worse.
#pragma once
#include <memory>
#include <string>
#include "cuda/api.h"
#include "trainer/trainer.h"

namespace implicam {

// Opens the library at `path`, once in a process. Throws with the reason where it cannot be used.
const DeviceApi& deviceLibrary(const std::string& path);

// Throws the message of a failed call.
template <class Call>
void deviceCall(Call call) {
  DeviceMessage message{};
  if (call(&message)) throw std::runtime_error(message.text);
}

// `device`: an index, a UUID, or empty for the first.
std::unique_ptr<AnyTrainer> createDeviceTrainer(Problem problem, const DeviceApi& api, const std::string& device);

}  // namespace implicam
