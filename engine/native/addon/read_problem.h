// A JavaScript object that describes a training (engine/native/problem.ts) as a Problem.
#pragma once
#include <napi.h>
#include "trainer/trainer.h"

namespace implicam {

// Throws Napi::Error naming the property that is missing or too large.
Problem readProblem(Napi::Object spec);

}  // namespace implicam
