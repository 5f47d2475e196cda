//===- Diagnostics.h - Diagnostics as text ----------------------*- C++ -*-===//

#ifndef JANUS_COMPILER_DIAGNOSTICS_H
#define JANUS_COMPILER_DIAGNOSTICS_H

#include "mlir-c/Support.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::janus {

/// Collects what is emitted on this thread, and its passes' threads, while it lives.
class DiagnosticText {
public:
  explicit DiagnosticText(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          append(diagnostic);
          for (Diagnostic &note : diagnostic.getNotes())
            if (!StringRef(note.str()).starts_with(kOperationNote))
              append(note);
          return success();
        }) {}

  /// Hands the text to a C callback, `fallback` where nothing was emitted.
  void report(MlirStringCallback callback, void *userData, StringRef fallback) {
    StringRef message = text.empty() ? fallback : StringRef(text);
    callback(mlirStringRefCreate(message.data(), message.size()), userData);
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
    stream << kinds[static_cast<int>(diagnostic.getSeverity())] << ": " << diagnostic;
  }

  std::string text;
  ScopedDiagnosticHandler handler;
};

} // namespace mlir::janus

#endif // JANUS_COMPILER_DIAGNOSTICS_H
