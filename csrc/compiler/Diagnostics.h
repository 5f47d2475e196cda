//===- Diagnostics.h - Diagnostics as text ----------------------*- C++ -*-===//

#ifndef JANUS_COMPILER_DIAGNOSTICS_H
#define JANUS_COMPILER_DIAGNOSTICS_H

#include "mlir-c/Support.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"

#include <thread>

namespace mlir::janus {

/// Collects what is emitted on this thread while it lives; pass managers replay here what their threads emit. Other
/// threads may compile in the same context.
class DiagnosticText {
public:
  explicit DiagnosticText(MLIRContext *context)
      : handler(context, [this, owner = std::this_thread::get_id()](Diagnostic &diagnostic) {
          if (std::this_thread::get_id() != owner)
            return failure();
          append(diagnostic);
          for (Diagnostic &note : diagnostic.getNotes())
            if (!StringRef(note.str()).starts_with(kOperationNote))
              append(note);
          return success();
        }) {}

  /// Hands the text to a C callback, and with it `fallback` where no error was emitted.
  void report(MlirStringCallback callback, void *userData, StringRef fallback) {
    if (!sawError)
      text += (text.empty() ? "" : "\n") + fallback.str();
    callback(mlirStringRefCreate(text.data(), text.size()), userData);
  }

private:
  // The note with which MLIR prints the whole op after each error: for a module, pages of text.
  static constexpr StringLiteral kOperationNote = "see current operation: ";

  void append(Diagnostic &diagnostic) {
    static constexpr StringLiteral kinds[] = {"note", "warning", "error", "remark"};
    llvm::raw_string_ostream stream(text);
    if (!text.empty())
      stream << '\n';
    if (auto location = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
      stream << location.getFilename().strref() << ':' << location.getLine() << ':' << location.getColumn() << ": ";
    sawError |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
    stream << kinds[static_cast<int>(diagnostic.getSeverity())] << ": " << diagnostic;
  }

  std::string text;
  bool sawError = false;
  ScopedDiagnosticHandler handler;
};

} // namespace mlir::janus

#endif // JANUS_COMPILER_DIAGNOSTICS_H
