#include "persist/admin_desk.h"

#include <utility>

#include "base/log.h"
#include "bus/subjects.h"
#include "wire/admin.h"
#include "wire/envelopes.h"

namespace martlet::persist {

using wire::AdminAct;

void AdminDesk::handle_act(const bus::Incoming& message) {
  auto request = wire::parse_admin_request(message.payload);
  if (!request || message.reply.empty()) return parts_.metrics.malformed();
  parts_.store.administer(
      *request, parts_.loop.wall_ms(),
      [this, request = *request,
       reply = std::string(message.reply)](const Result<store::AdminDone>& done) {
        wire::AdminAnswer answer;
        if (!done) {
          answer.error = done.error();
        } else if (!done->is_known) {
          answer.error = {ErrorCode::kNoSuchUser, "there is no such user"};
        } else {
          answer.devices = static_cast<std::uint32_t>(done->signed_out.size());
          carry_out(request);
        }
        parts_.metrics.administered(request.act, answer.error.code == ErrorCode::kNone);
        parts_.bus.reply(reply, wire::encode(answer));
      });
}

void AdminDesk::carry_out(const wire::AdminRequest& request) {
  MARTLET_LOG(info, "administered act={} who={} user={} device={} edge={}",
              wire::act_name(request.act), request.who, request.user.str(), request.device.str(),
              request.edge.str());
  if (request.act == AdminAct::kUnban) return;
  if (request.act == AdminAct::kDrain) {
    parts_.bus.publish(bus::subject::edge(request.edge),
                       wire::encode(wire::DrainEdge{request.who}));
    return;
  }
  const bool is_kick = request.act == AdminAct::kKick;
  const auto reason = is_kick ? proto::KickReason::ByAdmin : proto::KickReason::Revoked;
  parts_.bus.publish(bus::subject::user(request.user),
                     wire::encode(wire::KickDevice{request.device, reason}));
}

void AdminDesk::handle_audit(const bus::Incoming& message) {
  const auto question = wire::parse_audit_question(message.payload);
  if (!question || message.reply.empty()) return parts_.metrics.malformed();
  parts_.store.audit(*question, [this, reply = std::string(message.reply)](
                                    const Result<std::vector<wire::AuditRow>>& rows) {
    wire::AuditAnswer answer;
    rows ? void(answer.rows = *rows) : void(answer.error = rows.error());
    parts_.bus.reply(reply, wire::encode(answer));
  });
}

}  // namespace martlet::persist
