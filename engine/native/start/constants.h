// Written by `npm run constants` from the TypeScript that defines these: see develop/start/constants.ts.
#pragma once

namespace implicam::start {

namespace compare {  // develop/start/align/compare.ts
constexpr int FIELDS = 8;
constexpr int TILES = 8;
constexpr int BINS = 512;
constexpr double BIN = 0.0078125;
constexpr double SCALE = 3.7064999999999997;
constexpr double LEAST_CURVATURE = 0.4;
constexpr double LEAST_MEDIAN = 0.02;
}  // namespace compare

namespace features {  // develop/start/align/features.ts
constexpr int WINDOW = 6;
constexpr double NOISE = 0.04;
constexpr double SHOT_NOISE = 0.00003;
constexpr double FLOOR = 0.001;
constexpr double LEAST_SHARE = 0.05;
}  // namespace features

namespace compiled {  // develop/start/compiled.ts
constexpr int MOST_MERGED = 7;
}  // namespace compiled

namespace semiGlobal {  // develop/start/depth/semi-global.ts
constexpr int MAXIMUM_COST = 4000;
}  // namespace semiGlobal

namespace sweepLoops {  // develop/start/depth/sweep-loops.ts
constexpr int LIMIT = 4096;
constexpr int BLOCK = 4;
constexpr int STEPS = 4;
}  // namespace sweepLoops

namespace layers {  // develop/start/edges/layers.ts
constexpr int FINE = 44;
constexpr int COARSE = 52;
constexpr int INPUT = 54;
constexpr int OUTPUT = 28;
}  // namespace layers

namespace levels {  // develop/start/edges/levels.ts
constexpr int MARGIN = 32;
constexpr int PLANES = 4;
constexpr double MU = 5000;
constexpr double CURVE = 8.517393171418904;
constexpr double CEILING = 4;
constexpr double LARGEST_SPAN = 8;
constexpr double SPAN_UNIT = 4;
}  // namespace levels

namespace merge {  // develop/start/merge/merge.ts
constexpr int SLOT_BITS = 16;
}  // namespace merge

namespace pixelRadiance {  // develop/start/merge/pixel-radiance.ts
constexpr int SEGMENTS = 39;
constexpr int STEPS = 8;
constexpr double BLACK = 0.00196078431372549;
constexpr double WHITE = 0.9862745098039216;
constexpr double FULL = 0.9980392156862745;
constexpr double LONGEST_STEP = 0.5;
constexpr double CLOSE = 0.0002;
constexpr double DAMPING = 1e-7;
constexpr double ROUNDING = 1e-9;
}  // namespace pixelRadiance

namespace shrink {  // develop/start/merge/shrink.ts
constexpr int SIDE = 4;
constexpr int AREA = 16;
constexpr double THRESHOLD = 4;
constexpr double HALF = 0.5;
constexpr double WIDE = 0.6532814824381883;
constexpr double NARROW = 0.2705980500730985;
}  // namespace shrink

namespace response {  // develop/start/response/response.ts
constexpr double RESPONSE_MIN = -9;
constexpr double KNOT_STEP = 0.23076923076923078;
}  // namespace response

}  // namespace implicam::start
