#pragma once

// All bodies of the client protocol. Who needs one kind includes that header.

#include "wire/answers.h"         // IWYU pragma: export
#include "wire/content.h"         // IWYU pragma: export
#include "wire/events.h"          // IWYU pragma: export
#include "wire/group_answers.h"   // IWYU pragma: export
#include "wire/group_requests.h"  // IWYU pragma: export
#include "wire/members_change.h"  // IWYU pragma: export
#include "wire/message.h"         // IWYU pragma: export
#include "wire/requests.h"        // IWYU pragma: export
