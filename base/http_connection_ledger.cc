#include "base/http_connection_ledger.h"

#include <arpa/inet.h>

namespace davit {

void HttpConnectionLedger::Add(Id id, const std::string& peer) {
  const auto entry = peers_.try_emplace(peer).first;
  std::list<Id>& idle = entry->second.waiting[State::kIdle];
  idle.push_back(id);
  connections_[id] = {entry, State::kIdle, std::prev(idle.end()), 0};
  Count(entry, entry->second.connections + 1, entry->second.bytes);
}

void HttpConnectionLedger::Set(Id id, State state) {
  Connection& connection = connections_.at(id);
  if (connection.state == state) return;
  auto& waiting = connection.peer->second.waiting;
  waiting[state].splice(waiting[state].end(), waiting[connection.state], connection.place);
  connection.state = state;
}

void HttpConnectionLedger::SetBytes(Id id, size_t bytes) {
  Connection& connection = connections_.at(id);
  if (connection.bytes == bytes) return;
  const Peer& peer = connection.peer->second;
  Count(connection.peer, peer.connections, peer.bytes - connection.bytes + bytes);
  bytes_ = bytes_ - connection.bytes + bytes;
  connection.bytes = bytes;
}

void HttpConnectionLedger::Remove(Id id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  SetBytes(id, 0);
  const Peers::iterator peer = found->second.peer;
  peer->second.waiting[found->second.state].erase(found->second.place);
  connections_.erase(found);
  Count(peer, peer->second.connections - 1, peer->second.bytes);
  if (peer->second.connections == 0) peers_.erase(peer);
}

void HttpConnectionLedger::Count(Peers::iterator peer, size_t connections, size_t bytes) {
  const auto move = [&](Ranking* ranking, size_t from, size_t to) {
    if (from == to) return;
    if (from > 0) ranking->erase({from, peer->first});
    if (to > 0) ranking->insert({to, peer->first});
  };
  move(&by_connections_, peer->second.connections, connections);
  move(&by_bytes_, peer->second.bytes, bytes);
  peer->second.connections = connections;
  peer->second.bytes = bytes;
}

std::optional<HttpConnectionLedger::Id> HttpConnectionLedger::OldestOf(const Peer& peer,
                                                                       State first) {
  for (auto ids = peer.waiting.lower_bound(first);
       ids != peer.waiting.end() && ids->first < State::kAnswering; ++ids) {
    if (!ids->second.empty()) return ids->second.front();
  }
  return std::nullopt;
}

std::optional<HttpConnectionLedger::Id> HttpConnectionLedger::FindRoomFor(
    const std::string& peer) const {
  const auto found = peers_.find(peer);
  const size_t wanted = found == peers_.end() ? 1 : found->second.connections + 1;
  for (auto rank = by_connections_.rbegin(); rank != by_connections_.rend(); ++rank) {
    if (rank->first < wanted && rank->second != peer) continue;
    if (const auto id = OldestOf(peers_.at(rank->second), State::kIdle)) return id;
  }
  return std::nullopt;
}

std::optional<HttpConnectionLedger::Id> HttpConnectionLedger::FindMemory() const {
  for (auto rank = by_bytes_.rbegin(); rank != by_bytes_.rend(); ++rank) {
    if (const auto id = OldestOf(peers_.at(rank->second), State::kReading)) return id;
  }
  return std::nullopt;
}

std::string HttpConnectionLedger::PeerOf(absl::string_view address) {
  const std::string text(address.substr(0, address.find('%')));  // fe80::1%eth0
  in6_addr parsed{};
  if (inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return text;
  for (size_t i = 8; i < sizeof(parsed.s6_addr); ++i) parsed.s6_addr[i] = 0;
  char network[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, &parsed, network, sizeof(network));
  return network;
}

}  // namespace davit
