// SPDX-License-Identifier: Apache-2.0
#include "metrics_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "exit.hpp"
#include "output.hpp"

namespace daybook::cli {

MetricsFile::MetricsFile(const Daybook& book, std::string path, Duration every)
    : book_(book), path_(std::move(path)), every_(every) {
  if (path_.empty()) return;
  write();
  thread_ = std::jthread([this](const std::stop_token& stop) { keep_writing(stop); });
}

MetricsFile::~MetricsFile() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  write_or_tell();
}

// Beside it first: whoever reads the file meanwhile finds a whole one.
void MetricsFile::write() const {
  const std::string beside = path_ + ".new";
  const std::string text = to_prometheus(book_.metrics());
  errno = 0;
  {
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file)
      throw RefusedError("--metrics-file: " + sanitized(beside) + " cannot be written: " + std::strerror(errno));
  }
  if (std::rename(beside.c_str(), path_.c_str()) != 0) {
    throw RefusedError("--metrics-file: " + sanitized(path_) + " cannot be replaced: " + std::strerror(errno));
  }
}

// Metrics are no reason to stop working: trouble is told once.
void MetricsFile::write_or_tell() {
  try {
    write();
    told_ = false;
  } catch (const std::exception& error) {
    if (!told_) tell(std::string("daybook work: ") + error.what());
    told_ = true;
  }
}

void MetricsFile::keep_writing(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    stopped_.wait_for(lock, stop, every_, [] { return false; });
    if (!stop.stop_requested()) write_or_tell();
  }
}

}  // namespace daybook::cli
