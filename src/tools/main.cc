// martlet: the command line client. See --help.

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <functional>

#include "base/log.h"
#include "config/tool_variables.h"
#include "tools/admin.h"
#include "tools/chat.h"
#include "tools/devices.h"
#include "tools/doctor.h"
#include "tools/group.h"
#include "tools/history.h"
#include "tools/listen.h"
#include "tools/password.h"
#include "tools/raw.h"
#include "tools/register.h"
#include "tools/send.h"
#include "tools/simple_commands.h"
#include "tools/tool.h"
#include "tools/top.h"
#include "tools/trace.h"
#include "tools/who.h"

namespace martlet::tools {
namespace {

constexpr const char* kFooter = R"(
A home directory is one device of one user: its tokens, how far it has read, and what it has not
sent yet. One command at a time uses it. A message whose command ends before its acknowledgement
stays in the home and goes out with the next command.

Passwords come from --password-file (- is standard input), from MARTLET_PASSWORD, or are asked.

Exit codes: 0 done; 1 refused by the server; 2 wrong arguments; 3 no server, or not in time;
4 not logged in; 5 the home can't be used or is in use. Errors go to standard error with the name
of the error code.

Example:
  martlet --server localhost:7000 --home ~/.ann register ann
  martlet --home ~/.ann send ben "hello"
  martlet --home ~/.ann chat ben
  martlet --home ~/.ann group create team ben carol --title "The Team"
  martlet --home ~/.ann send g:team "hello all")";

constexpr const char* kPeer = "A user, a group as g:GROUP, or a conversation like u:ann:ben";

using Command = std::function<Exit(const ToolOptions&)>;

std::string default_home() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
  const char* home = std::getenv("HOME");
  return (home != nullptr ? std::string(home) : std::string(".")) + "/.martlet";
}

void add_options(CLI::App& app, ToolOptions& options) {
  app.add_option("--server", options.servers,
                 "Edges, HOST:PORT[,HOST:PORT…]; remembered by register and login")
      ->envname(config::kToolServer);
  app.add_option("--home", options.home, "Directory of this device")
      ->envname(config::kToolHome)
      ->capture_default_str();
  app.add_flag("--tls", options.tls, "Speak TLS to the servers given; remembered with them");
  app.add_option("--tls-ca", options.tls_ca,
                 "PEM file of the certificates to trust rather than the system's; means --tls")
      ->envname(config::kToolTlsCa);
  app.add_option("--tls-name", options.tls_name,
                 "The name that certificates must have, rather than the host; means --tls")
      ->envname(config::kToolTlsName);
  app.add_option("--api", options.api,
                 "http://HOST:PORT of martlet-api, for who, trace and --route")
      ->envname(config::kToolApi);
  app.add_option("--api-token-file", options.api_token_file,
                 "Whose first line is a token of the api, for who, trace and admin")
      ->envname(config::kToolApiTokenFile);
  app.add_option("--route", options.route,
                 "Ask the api which edge to use: default, or a strategy (consistent_hash, "
                 "least_active, weighted_random, round_robin)");
  app.add_option("--timeout", options.timeout_s, "Seconds for commands that end by themselves")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  app.add_flag("--json", options.json, "Print JSON, one object a line");
  app.add_flag("-v,--verbose", options.verbose, "Say why the connection is lost");
}

void add_account(CLI::App& app, const char* name, const char* text,
                 Exit (*call)(const ToolOptions&, const Account&), Command& chosen) {
  struct Words {
    Account account;
    std::string password_file;
    std::string token_file;
  };
  auto words = std::make_shared<Words>();
  CLI::App* command = app.add_subcommand(name, text);
  command->add_option("USER", words->account.user)->required();
  command->add_option("--device", words->account.device, "Name of this device")
      ->capture_default_str();
  CLI::Option* password = command->add_option("--password-file", words->password_file,
                                              "First line of this file; -: stdin");
  if (call == &log_in) {
    command
        ->add_option("--token-file", words->token_file,
                     "A token of the service that the cluster trusts, instead of a password")
        ->excludes(password);
  }
  command->callback([words, call, &chosen] {
    chosen = [words, call](const ToolOptions& tool) {
      const bool is_token = !words->token_file.empty();
      Account account = words->account;
      auto secret =
          read_password(is_token ? words->token_file : words->password_file, account.user);
      if (!secret) return fail_with(secret.error());
      (is_token ? account.token : account.password) = std::move(*secret);
      return call(tool, account);
    };
  });
}

void add_send(CLI::App& app, Command& chosen) {
  struct Words {
    Send::Options send;
    std::vector<std::string> text;
  };
  auto words = std::make_shared<Words>();
  CLI::App* command = app.add_subcommand("send", "Send a message to a user or a group");
  command->add_option("PEER", words->send.peer, kPeer)->required();
  CLI::Option* text = command->add_option("TEXT", words->text, "Words, joined by spaces");
  CLI::Option* from_stdin =
      command->add_flag("--stdin", words->send.from_stdin, "Each line of standard input");
  text->excludes(from_stdin);
  command->add_flag("--wait-stored", words->send.wait_stored, "Until the database has it");
  command->add_flag("--trace", words->send.trace,
                    "The servers remember each step of it for a while: see trace");
  command->callback([words, &chosen] {
    if (words->text.empty() && !words->send.from_stdin) {
      throw CLI::RequiredError("TEXT or --stdin");
    }
    words->send.text = CLI::detail::join(words->text, " ");
    chosen = [words](const ToolOptions& tool) { return Send(tool, words->send).run(); };
  });
}

void add_listen(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Listen::Options>();
  CLI::App* command = app.add_subcommand("listen", "Print what was missed and what comes");
  command->add_option("--count", options->count, "End after so many messages");
  command->add_option("--until-idle", options->until_idle_s, "End after so many quiet seconds");
  command->add_flag("--own", options->show_own, "Also what your other devices send");
  command->callback([options, &chosen] {
    chosen = [options](const ToolOptions& tool) { return Listen(tool, *options).run(); };
  });
}

void add_chat(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Chat::Options>();
  CLI::App* command = app.add_subcommand("chat", "Lines both ways");
  command->add_option("PEER", options->peer, "A user, or g:GROUP; may be left out with --json");
  command->add_flag("--stay", options->stay, "Go on listening when the input has ended");
  command->callback([options, &chosen] {
    chosen = [options](const ToolOptions& tool) { return Chat(tool, *options).run(); };
  });
}

void add_history(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<History::Options>();
  CLI::App* command = app.add_subcommand("history", "Print stored messages, oldest first");
  command->add_option("PEER", options->peer, kPeer)->required();
  CLI::Option* before =
      command->add_option("--before", options->before, "Those with a smaller seq");
  CLI::Option* after = command->add_option("--after", options->after, "Those with a greater seq");
  after->excludes(before);
  command->add_option("--limit", options->limit, "At most so many; 0: all")->capture_default_str();
  command->callback([options, after, &chosen] {
    options->forward = after->count() > 0;
    chosen = [options](const ToolOptions& tool) { return History(tool, *options).run(); };
  });
}

void add_read(CLI::App& app, Command& chosen) {
  struct Options {
    std::string peer;
    std::uint64_t seq = 0;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("read", "Say that you have read up to SEQ");
  command->add_option("PEER", options->peer, kPeer)->required();
  command->add_option("SEQ", options->seq)->required()->check(CLI::PositiveNumber);
  command->callback([options, &chosen] {
    chosen = [options](const ToolOptions& tool) {
      return Read(tool, options->peer, options->seq).run();
    };
  });
}

// A change of a group; what it has beside GROUP is added by who calls.
CLI::App* add_change(CLI::App& group, const char* name, const char* text, MembersAction action,
                     const std::shared_ptr<ChangeGroup::Options>& options, Command& chosen) {
  options->change.action = action;
  CLI::App* command = group.add_subcommand(name, text);
  command->add_option("GROUP", options->group)->required();
  command->callback([options, &chosen] {
    chosen = [options](const ToolOptions& tool) { return ChangeGroup(tool, *options).run(); };
  });
  return command;
}

void add_group_create(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<ChangeGroup::Options>();
  CLI::App* command = add_change(group, "create", "Make a group, with you as its owner",
                                 MembersAction::kCreated, options, chosen);
  command->add_option("USER", options->users, "Members from the beginning");
  command->add_option("--title", options->change.title);
  command->add_flag_callback(
      "--open", [options] { options->change.join = JoinPolicy::kAnyone; }, "Anyone may join");
  command->add_flag_callback(
      "--history", [options] { options->change.earlier_history = EarlierHistory::kShown; },
      "New members see what was written before");
}

void add_group_members(CLI::App& group, Command& chosen) {
  const auto options = [] { return std::make_shared<ChangeGroup::Options>(); };
  auto invite = options();
  add_change(group, "invite", "Make users members", MembersAction::kInvited, invite, chosen)
      ->add_option("USER", invite->users)
      ->required();
  auto remove = options();
  add_change(group, "remove", "Take members out", MembersAction::kRemoved, remove, chosen)
      ->add_option("USER", remove->users)
      ->required();
  auto role = options();
  CLI::App* set_role = add_change(group, "role", "Make a member admin, owner or plain member",
                                  MembersAction::kRoleSet, role, chosen);
  set_role
      ->add_option_function<std::string>("USER",
                                         [role](const std::string& user) { role->users = {user}; })
      ->required();
  set_role->add_option("ROLE", role->role, "owner: you hand the group over")
      ->required()
      ->check(CLI::IsMember({"member", "admin", "owner"}));
  add_change(group, "join", "Become a member of an open group", MembersAction::kJoined, options(),
             chosen);
  add_change(group, "leave", "Be a member no more", MembersAction::kLeft, options(), chosen);
  add_change(group, "disband", "End the group", MembersAction::kDisbanded, options(), chosen);
}

void add_group(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("group", "Make, change and show groups");
  group->require_subcommand(1);
  group->fallthrough();
  add_group_create(*group, chosen);
  add_group_members(*group, chosen);
  auto name = std::make_shared<std::string>();
  CLI::App* info = group->add_subcommand("info", "Print a group and its members");
  info->add_option("GROUP", *name)->required();
  info->callback([name, &chosen] {
    chosen = [name](const ToolOptions& tool) { return GroupInfo(tool, *name).run(); };
  });
  group->add_subcommand("list", "Print the groups that you are in")->callback([&chosen] {
    chosen = [](const ToolOptions& tool) { return GroupList(tool).run(); };
  });
}

void add_devices(CLI::App& app, Command& chosen) {
  app.add_subcommand("devices", "Print your devices that are signed in")->callback([&chosen] {
    chosen = [](const ToolOptions& tool) { return Devices(tool).run(); };
  });
  auto options = std::make_shared<SignOut::Options>();
  CLI::App* command = app.add_subcommand("sign-out", "Sign a device out; without a name, this one");
  CLI::Option* device = command->add_option("DEVICE", options->device);
  device->check([](const std::string& name) { return name.empty() ? "no name" : ""; });
  command->add_flag("--others", options->others, "All but this one")->excludes(device);
  command->callback([options, &chosen] {
    chosen = [options](const ToolOptions& tool) { return SignOut(tool, *options).run(); };
  });
}

void add_admin(CLI::App& app, Command& chosen) {
  CLI::App* admin = app.add_subcommand("admin", "Look after edges and users, through the api");
  admin->require_subcommand(1);
  admin->fallthrough();
  admin->add_subcommand("edges", "Print the edges that live")->callback([&chosen] {
    chosen = &admin_edges;
  });
  auto edge = std::make_shared<std::string>();
  CLI::App* drain = admin->add_subcommand("drain", "Send an edge's clients elsewhere and stop it");
  drain->add_option("EDGE", *edge, "Its id, as edges prints it")->required();
  drain->callback([edge, &chosen] {
    chosen = [edge](const ToolOptions& tool) { return admin_drain(tool, *edge); };
  });
  struct Act {
    const char* name;
    const char* text;
    bool needs_device;
  };
  for (const Act& act : {Act{"kick", "End sessions; the devices may come back", false},
                         Act{"revoke", "Sign devices out: they need the password again", false},
                         Act{"ban", "Sign a device out for good", true},
                         Act{"unban", "Let a device log in again", true}}) {
    auto names = std::make_shared<std::pair<std::string, std::string>>();
    CLI::App* command = admin->add_subcommand(act.name, act.text);
    command->add_option("USER", names->first)->required();
    command->add_option("DEVICE", names->second, act.needs_device ? "" : "Without it all of them")
        ->required(act.needs_device);
    command->callback([names, name = act.name, &chosen] {
      chosen = [names, name](const ToolOptions& tool) {
        return admin_user(tool, name, names->first, names->second);
      };
    });
  }
  auto limit = std::make_shared<std::uint32_t>(50);
  CLI::App* audit = admin->add_subcommand("audit", "Print what was done, the latest first");
  audit->add_option("--limit", *limit, "At most so many")->check(CLI::Range(1, 500));
  audit->callback([limit, &chosen] {
    chosen = [limit](const ToolOptions& tool) { return admin_audit(tool, *limit); };
  });
}

void add_looks(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command = app.add_subcommand(
      "top", "How all services and shards are, again and again; q ends it, no terminal: once");
  command->add_flag("--once", options->once, "Print it once");
  command->add_option("--interval", options->interval_s, "Seconds between two looks")
      ->check(CLI::Range(0.2, 3600.0))
      ->capture_default_str();
  command->callback([options, &chosen] {
    chosen = [options](const ToolOptions& tool) { return top(tool, *options); };
  });
  app.add_subcommand("doctor", "Check the whole cluster through the api; 1: a check failed")
      ->callback([&chosen] { chosen = &doctor; });
}

void add_others(CLI::App& app, Command& chosen) {
  app.add_subcommand("sync", "Print what this device missed and where its conversations are")
      ->callback([&chosen] { chosen = [](const ToolOptions& tool) { return Sync(tool).run(); }; });
  auto user = std::make_shared<std::string>();
  CLI::App* who_command = app.add_subcommand("who", "Where a user is connected");
  who_command->add_option("USER", *user)->required();
  who_command->callback(
      [user, &chosen] { chosen = [user](const ToolOptions& tool) { return who(tool, *user); }; });
  auto what = std::make_shared<std::string>();
  CLI::App* trace_command = app.add_subcommand("trace", "Where a message is, and how it got there");
  trace_command
      ->add_option("WHAT", *what,
                   "A message id, CONVERSATION:SEQ (u:ann:ben:7), or a client_msg_id")
      ->required();
  trace_command->callback(
      [what, &chosen] { chosen = [what](const ToolOptions& tool) { return trace(tool, *what); }; });
  auto wait_s = std::make_shared<double>(0);
  CLI::App* raw_command = app.add_subcommand(
      "raw",
      R"(Send JSON frames, a line each: {"command": "Ping", "body": {}}; print the answers)");
  raw_command->add_option("--wait", *wait_s, "Print events for so many seconds at the end");
  raw_command->callback([wait_s, &chosen] {
    chosen = [wait_s](const ToolOptions& tool) { return raw(tool, *wait_s); };
  });
}

int run(int argc, char** argv) {
  CLI::App app{"The command line client of Martlet."};
  app.require_subcommand(1);
  app.fallthrough();  // the common options also behind the command
  ToolOptions options;
  options.home = default_home();
  Command chosen;
  add_options(app, options);
  add_account(app, "register", "Make an account and log this device in", &register_user, chosen);
  add_account(app, "login", "Log this device in", &log_in, chosen);
  add_send(app, chosen);
  add_listen(app, chosen);
  add_chat(app, chosen);
  add_history(app, chosen);
  add_read(app, chosen);
  add_group(app, chosen);
  add_devices(app, chosen);
  add_admin(app, chosen);
  add_looks(app, chosen);
  add_others(app, chosen);
  app.footer(kFooter);  // at the end: commands made before do not repeat it
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_unknown = chosen == nullptr && app.remaining_size() > 0;
    if (is_unknown) {
      std::fprintf(stderr, "There is no command \"%s\".\n", app.remaining().front().c_str());
    }
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::kUsage);
  }
  base::LogOptions log;
  log.service = "martlet";
  log.level = options.verbose ? "debug" : "error";
  base::start_logging(log);
  std::signal(SIGPIPE, SIG_IGN);
  return static_cast<int>(chosen(options));
}

}  // namespace
}  // namespace martlet::tools

int main(int argc, char** argv) {
  return martlet::tools::run(argc, argv);
}
