// im.rpc.moves: what edges ask of the api about where their sessions should be.
#include "wire/bus_fields.h"
#include "wire/limits.h"
#include "wire/rpc.h"

namespace martlet::wire {

Bytes encode(const MovesQuestion& question) {
  Builder builder(128);
  const auto edge = put(builder, question.edge.str());
  return finish(builder,
                busproto::CreateMovesQuestion(builder, edge, question.sessions, question.draining));
}

Bytes encode(const MovesAnswer& answer) {
  MARTLET_ASSERT(answer.moves.size() <= kMaxMoves);
  Builder builder(1024);
  std::vector<flatbuffers::Offset<busproto::Move>> offsets;
  offsets.reserve(answer.moves.size());
  for (const Move& move : answer.moves) {
    offsets.push_back(busproto::CreateMove(builder, put_some(builder, move.to), move.sessions));
  }
  return finish(builder, busproto::CreateMovesAnswer(builder, builder.CreateVector(offsets)));
}

Result<MovesQuestion> parse_moves_question(BytesView bytes) {
  const auto table = read_envelope<busproto::MovesQuestion>(bytes, "MovesQuestion");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  MovesQuestion out;
  out.edge = read.edge((*table)->edge(), "edge");
  out.sessions = (*table)->sessions();
  out.draining = (*table)->draining();
  return read.result(std::move(out));
}

Result<MovesAnswer> parse_moves_answer(BytesView bytes) {
  const auto table = read_envelope<busproto::MovesAnswer>(bytes, "MovesAnswer");
  if (!table) return tl::unexpected<Error>(table.error());
  FieldReader read;
  MovesAnswer out;
  const auto* moves = (*table)->moves();
  if (moves != nullptr && moves->size() > kMaxMoves) {
    read.refuse(ErrorCode::kBadBody, "moves", "are too many");
  } else if (moves != nullptr) {
    for (const auto* move : *moves) {
      out.moves.push_back(
          {std::string(read.text(move->to(), "moves.to", kMaxLabelBytes)), move->sessions()});
    }
  }
  return read.result(std::move(out));
}

}  // namespace martlet::wire
