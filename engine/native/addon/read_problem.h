// A JavaScript object that describes a session (engine/native/problem.ts) as a Problem.
#pragma once
#include <napi.h>
#include "session/session.h"

namespace implicam {

// Throws Napi::Error naming the property that is missing or too large.
Problem readProblem(Napi::Object spec);

}  // namespace implicam
