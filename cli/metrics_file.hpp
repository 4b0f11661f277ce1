// SPDX-License-Identifier: Apache-2.0
#pragma once

// A file with the metrics of an open book, replaced whole every so often: for the textfile collector of Prometheus' node exporter.

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "daybook/daybook.hpp"

namespace daybook::cli {

class MetricsFile {
 public:
  /// "" as a path: none is written. Throws RefusedError when the first one cannot be.
  MetricsFile(const Daybook& book, std::string path, Duration every);
  ~MetricsFile();  // writes a last one; before the book is closed
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

 private:
  void write() const;
  void keep_writing(const std::stop_token& stop);
  void write_or_tell();

  const Daybook& book_;
  const std::string path_;
  const Duration every_;
  bool told_ = false;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace daybook::cli
