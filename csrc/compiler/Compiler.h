/*===- Compiler.h - The C interface of libJanus ----------------------*- C -*-===*\
|*                                                                              *|
|* What Python needs of the compiler: dialects, phases and the JIT. Errors come *|
|* back as text through a callback, which runs before the call returns.         *|
|*                                                                              *|
\*===----------------------------------------------------------------------===*/

#ifndef JANUS_COMPILER_COMPILER_H
#define JANUS_COMPILER_COMPILER_H

#include "mlir-c/IR.h"
#include "mlir-c/Support.h"

#define JANUS_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/** Adds the dialects of Janus to the context and loads them; registers the passes of the process. */
JANUS_EXPORT void janusRegisterDialects(MlirContext context);

/** The number of phases, and the name of each, first to last. */
JANUS_EXPORT intptr_t janusGetNumPhases(void);
JANUS_EXPORT MlirStringRef janusGetPhase(intptr_t index);

/** Brings the module up to the phase; `verifyEach` verifies it after every pass, not only at both ends. On failure the
 *  callback gets the diagnostics, and the module is in no defined state. */
JANUS_EXPORT MlirLogicalResult janusRunPhase(MlirModule module, MlirStringRef phase, bool verifyEach,
                                             MlirStringCallback onError, void *userData);

/** Native code in memory. */
typedef struct JanusExecutable {
  void *ptr;
} JanusExecutable;

/** Compiles a module in phase "llvm" for this machine. `names` and `addresses` are the symbols that it may call
 *  beside those of the process. Null on failure, after the callback. */
JANUS_EXPORT JanusExecutable janusJit(MlirModule module, intptr_t numSymbols, const MlirStringRef *names,
                                      const uint64_t *addresses, int optLevel, MlirStringCallback onError,
                                      void *userData);

/** The first half of janusJit: object files of a module in phase "llvm", as an archive, through a callback. */
JANUS_EXPORT MlirLogicalResult janusCompile(MlirModule module, int optLevel, MlirStringCallback onArchive,
                                            void *archiveData, MlirStringCallback onError, void *userData);

/** The second half: such an archive, of this or of an earlier process, as native code. `function` must be in it. */
JANUS_EXPORT JanusExecutable janusLoad(MlirStringRef archive, MlirStringRef function, intptr_t numSymbols,
                                       const MlirStringRef *names, const uint64_t *addresses,
                                       MlirStringCallback onError, void *userData);

/** The address of a function, or 0. */
JANUS_EXPORT uint64_t janusExecutableLookup(JanusExecutable executable, MlirStringRef name);

JANUS_EXPORT void janusExecutableDestroy(JanusExecutable executable);

/** This machine, as the code generator sees it. `features` is "+avx2,...", `vectorBits` the widest vector register.
 *  The strings live as long as the process. */
typedef struct JanusHostTarget {
  MlirStringRef triple;
  MlirStringRef cpu;
  MlirStringRef features;
  int vectorBits;
} JanusHostTarget;

JANUS_EXPORT JanusHostTarget janusGetHostTarget(void);

#ifdef __cplusplus
}
#endif

#endif /* JANUS_COMPILER_COMPILER_H */
