// A JavaScript object that describes a session (runner/engines/native/problem.ts) as a Problem.
#pragma once
#include <napi.h>
#include "session.h"

namespace implicam {

// Throws Napi::Error naming the property that is missing or too large.
Problem readProblem(Napi::Object spec);

}  // namespace implicam
