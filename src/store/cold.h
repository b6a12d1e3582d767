#pragma once

#include "lib/pg/connection.h"
#include "store/types.h"

namespace martlet::store {

// Heads of conversations and stored messages, for many questions from one snapshot. Says nothing
// about a question's least watermark: the asker of this function has waited for it. Blocks.
pg::Result<ColdAnswers> look_up_cold(pg::Connection& connection, const ColdQuestions& questions);

}  // namespace martlet::store
