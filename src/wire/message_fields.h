#pragma once

#include <vector>

#include "client_generated.h"
#include "wire/fields.h"
#include "wire/message.h"

// Messages inside pages; for the .cc files of wire/ only.
namespace martlet::wire {

using MessageVector = flatbuffers::Vector<flatbuffers::Offset<proto::Message>>;

flatbuffers::Offset<proto::Message> put_message(Builder& builder, const Message& message);
flatbuffers::Offset<MessageVector> put_messages(Builder& builder,
                                                const std::vector<Message>& messages);

Message read_message(const proto::Message& table, FieldReader& read);
std::vector<Message> read_messages(const MessageVector* tables, FieldReader& read);

}  // namespace martlet::wire
