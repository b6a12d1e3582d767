#include "base/planted.h"

namespace martlet {

#if MARTLET_PLANTED_FAULTS
Planted planted_fault = Planted::kNone;
#endif

}  // namespace martlet
