#ifndef DAVIT_BASE_HTTP_CONNECTION_LEDGER_H_
#define DAVIT_BASE_HTTP_CONNECTION_LEDGER_H_

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/strings/string_view.h"

namespace davit {

// Which peers hold an HTTP server's connections and memory, and which connection must be closed so
// that one more fits. Not thread-safe; does no I/O. Every call costs at most the logarithm of the
// number of peers, but for peers whose connections are all being answered.
class HttpConnectionLedger {
 public:
  using Id = uint64_t;
  // What a connection does. Those that wait for their peer may be closed, in this order.
  enum class State { kIdle, kReading, kWriting, kAnswering };

  // Begins as kIdle. `peer`: PeerOf() its address.
  void Add(Id id, const std::string& peer);
  // A change of the state makes the connection the newest one of its peer in that state.
  void Set(Id id, State state);
  // How much memory its request and answer hold.
  void SetBytes(Id id, size_t bytes);
  void Remove(Id id);

  size_t connections() const { return connections_.size(); }
  size_t bytes() const { return bytes_; }

  // The connection to close when `peer` wants one more and there is no room: the oldest of the
  // first state that has any, of the peer that holds the most connections. nullopt: all of those
  // that hold at least as many as `peer` (counting the new one) are being answered.
  std::optional<Id> FindRoomFor(const std::string& peer) const;
  // The connection to close when too much memory is held: the oldest that is reading or writing,
  // of the peer that holds the most bytes there.
  std::optional<Id> FindMemory() const;

  // Who is behind an IP address: itself, or the /64 network of an IPv6 one, all of which one host
  // usually has.
  static std::string PeerOf(absl::string_view address);

 private:
  struct Peer {
    size_t connections = 0;
    size_t bytes = 0;
    std::map<State, std::list<Id>> waiting;  // by state, oldest first
  };
  using Peers = std::map<std::string, Peer>;
  struct Connection {
    Peers::iterator peer;
    State state = State::kIdle;
    std::list<Id>::iterator place;
    size_t bytes = 0;
  };
  using Ranking = std::set<std::pair<size_t, std::string>>;  // by what is held, then by peer

  static std::optional<Id> OldestOf(const Peer& peer, State first);
  void Count(Peers::iterator peer, size_t connections, size_t bytes);

  std::unordered_map<Id, Connection> connections_;
  Peers peers_;
  Ranking by_connections_;
  Ranking by_bytes_;
  size_t bytes_ = 0;
};

}  // namespace davit

#endif  // DAVIT_BASE_HTTP_CONNECTION_LEDGER_H_
