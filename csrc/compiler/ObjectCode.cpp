//===- ObjectCode.cpp - From the llvm dialect to object files -------------===//

#include "compiler/ObjectCode.h"

#include "compiler/Host.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/IR/ProfDataUtils.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/DeadArgumentElimination.h"
#include "llvm/Transforms/IPO/SCCP.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <mutex>

using namespace mlir;
using namespace mlir::janus;
namespace orc = llvm::orc;

namespace {

/// A part below this many instructions is not worth a thread of its own.
constexpr size_t kMinInstructions = 2000;
/// Parts for each thread, so that one that was underestimated does not keep all others waiting.
constexpr size_t kPartsPerThread = 3;

using Object = std::unique_ptr<llvm::MemoryBuffer>;
using Bitcode = SmallVector<char, 0>;

/// The new pass manager, with analyses for a machine.
class Passes {
public:
  explicit Passes(llvm::TargetMachine *machine) : builder(machine, tuning()) {
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(callGraph);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, callGraph, modules);
  }

  void optimize(llvm::Module &module, int optLevel) {
    static const llvm::OptimizationLevel levels[] = {llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1,
                                                     llvm::OptimizationLevel::O2, llvm::OptimizationLevel::O3};
    llvm::OptimizationLevel level = levels[std::clamp(optLevel, 0, 3)];
    run(module, optLevel <= 0 ? builder.buildO0DefaultPipeline(level) : builder.buildPerModuleDefaultPipeline(level));
  }

  void run(llvm::Module &module, llvm::ModulePassManager passes) { passes.run(module, modules); }

private:
  // Kernels come as vectors already, unrolled as far as is good for them: looking for more takes time and finds
  // nothing.
  static llvm::PipelineTuningOptions tuning() {
    llvm::PipelineTuningOptions options;
    options.LoopVectorization = false;
    options.SLPVectorization = false;
    options.LoopInterleaving = false;
    return options;
  }

  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder;
};

/// Whether a function is called only, never inlined, and refers to nothing that another part could not see.
bool standsAlone(const llvm::Function &function) {
  if (function.isDeclaration() || !function.hasLocalLinkage() || !function.hasFnAttribute(llvm::Attribute::NoInline))
    return false;
  return llvm::all_of(function, [](const llvm::BasicBlock &block) {
    return llvm::all_of(block, [](const llvm::Instruction &instruction) {
      return llvm::all_of(instruction.operands(), [](const llvm::Use &operand) {
        auto *constant = dyn_cast<llvm::Constant>(operand);
        if (!constant || isa<llvm::ConstantData>(constant))
          return true;
        // Constants made of others are rare in kernels: look no further into them.
        auto *global = dyn_cast<llvm::GlobalValue>(constant);
        return global && !global->hasLocalLinkage();
      });
    });
  });
}

/// The functions of each part but the first, which has all that is in none. The work is spread evenly.
SmallVector<DenseSet<const llvm::GlobalValue *>> choosePartition(llvm::Module &module, size_t threads) {
  SmallVector<std::pair<size_t, llvm::Function *>> apart;
  size_t total = 0, left = 0;
  for (llvm::Function &function : module) {
    size_t count = function.getInstructionCount();
    total += count;
    if (standsAlone(function))
      apart.push_back({count, &function});
    else
      left += count;
  }
  size_t count = std::min(threads * kPartsPerThread, total / kMinInstructions);
  if (threads < 2 || count < 2 || apart.empty())
    return {};
  // The largest first, each to the part that has least.
  llvm::stable_sort(apart, [](const auto &a, const auto &b) { return a.first > b.first; });
  SmallVector<DenseSet<const llvm::GlobalValue *>> parts(count);
  SmallVector<size_t> loads(count, 0);
  loads[0] = left;
  for (auto [size, function] : apart) {
    size_t least = llvm::min_element(loads) - loads.begin();
    loads[least] += size;
    if (least != 0)
      parts[least].insert(function);
  }
  parts.erase(parts.begin());
  llvm::erase_if(parts, [](const auto &part) { return part.empty(); });
  return parts;
}

Bitcode writeBitcode(const llvm::Module &module) {
  Bitcode bitcode;
  llvm::raw_svector_ostream stream(bitcode);
  llvm::WriteBitcodeToFile(module, stream);
  return bitcode;
}

/// Cuts a module in parts that link to what it was.
SmallVector<Bitcode> split(llvm::Module &module, ArrayRef<DenseSet<const llvm::GlobalValue *>> partition) {
  DenseSet<const llvm::GlobalValue *> apart;
  for (const auto &part : partition)
    for (const llvm::GlobalValue *value : part) {
      apart.insert(value);
      // Called from another part.
      const_cast<llvm::GlobalValue *>(value)->setLinkage(llvm::GlobalValue::ExternalLinkage);
    }
  SmallVector<Bitcode> parts;
  auto clone = [&](llvm::function_ref<bool(const llvm::GlobalValue *)> isWanted) {
    llvm::ValueToValueMapTy mapping;
    parts.push_back(writeBitcode(*llvm::CloneModule(module, mapping, isWanted)));
  };
  clone([&](const llvm::GlobalValue *value) { return !apart.contains(value); });
  for (const auto &part : partition)
    clone([&](const llvm::GlobalValue *value) { return part.contains(value); });
  return parts;
}

/// Optimises a module for this machine and writes its object file.
llvm::Expected<Object> compileModule(llvm::Module &module, int optLevel) {
  auto machine = createTargetMachineBuilder(optLevel).createTargetMachine();
  if (!machine)
    return machine.takeError();
  Passes(machine->get()).optimize(module, optLevel);
  return orc::SimpleCompiler(**machine)(module);
}

/// The same in a context of its own, so that other threads may do so too.
llvm::Expected<Object> compileBitcode(const Bitcode &bitcode, int optLevel) {
  llvm::LLVMContext context;
  auto module = llvm::parseBitcodeFile(llvm::MemoryBufferRef({bitcode.data(), bitcode.size()}, "janus"), context);
  if (!module)
    return module.takeError();
  return compileModule(**module, optLevel);
}

llvm::Expected<SmallVector<Object>> compileParts(ArrayRef<Bitcode> parts, int optLevel, size_t threads) {
  SmallVector<Object> objects(parts.size());
  llvm::Error errors = llvm::Error::success();
  std::mutex errorsMutex;
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency(std::min(threads, parts.size())));
  for (size_t i = 0; i < parts.size(); ++i)
    pool.async([&, i] {
      llvm::Expected<Object> object = compileBitcode(parts[i], optLevel);
      if (object) {
        objects[i] = std::move(*object);
        return;
      }
      std::lock_guard<std::mutex> lock(errorsMutex);
      errors = llvm::joinErrors(std::move(errors), object.takeError());
    });
  pool.wait();
  if (errors)
    return errors;
  return objects;
}

llvm::Expected<Object> writeArchive(ArrayRef<Object> objects) {
  SmallVector<llvm::NewArchiveMember> members;
  for (const Object &object : objects) {
    members.emplace_back(object->getMemBufferRef());
    members.back().MemberName = "janus.o";
  }
  return llvm::writeArchiveToBuffer(members, llvm::SymtabWritingMode::NoSymtab, llvm::object::Archive::K_GNU,
                                    /*Deterministic=*/true, /*Thin=*/false);
}

bool containsOr(llvm::Value *condition) {
  llvm::Value *a = nullptr, *b = nullptr;
  if (match(condition, llvm::PatternMatch::m_LogicalOr()))
    return true;
  return match(condition,
               llvm::PatternMatch::m_LogicalAnd(llvm::PatternMatch::m_Value(a), llvm::PatternMatch::m_Value(b))) &&
         (containsOr(a) || containsOr(b));
}

/// Keeps the conditions whole of guards that come from flattened branches, "elsewhere, or it holds": split into two
/// jumps, the first of them would be the branch again.
void keepConditions(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::BasicBlock &block : function) {
      auto *branch = dyn_cast_or_null<llvm::BranchInst>(block.getTerminator());
      uint64_t holds = 0, fails = 0;
      if (branch && branch->isConditional() && extractBranchWeights(*branch, holds, fails) && holds > fails &&
          fails == 1 && containsOr(branch->getCondition()))
        branch->setMetadata(llvm::LLVMContext::MD_unpredictable, llvm::MDNode::get(module.getContext(), {}));
    }
}

} // namespace

llvm::Expected<Object> janus::compileToArchive(ModuleOp op, int optLevel) {
  registerBuiltinDialectTranslation(*op.getContext());
  registerLLVMDialectTranslation(*op.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(op, context);
  if (!module)
    return llvm::createStringError("the module does not translate to LLVM IR");
  auto machine = createTargetMachineBuilder(optLevel).createTargetMachine();
  if (!machine)
    return machine.takeError();
  module->setDataLayout((*machine)->createDataLayout());
  module->setTargetTriple((*machine)->getTargetTriple());
  // The conversion to the LLVM dialect keeps the visibility only.
  for (auto symbol : op.getOps<SymbolOpInterface>())
    if (llvm::Function *function = module->getFunction(symbol.getName());
        function && symbol.isPrivate() && !function->isDeclaration())
      function->setLinkage(llvm::GlobalValue::InternalLinkage);
  keepConditions(*module);
  // Without it LLVM splits 512-bit vectors in two on CPUs where that was once faster.
  std::string width = std::to_string(getHost().vectorBits);
  for (llvm::Function &function : *module)
    if (!function.isDeclaration())
      function.addFnAttr("prefer-vector-width", width);

  size_t threads = llvm::hardware_concurrency().compute_thread_count();
  if (choosePartition(*module, threads).empty()) {
    llvm::Expected<Object> object = compileModule(*module, optLevel);
    return object ? writeArchive(*object) : std::move(object);
  }
  // Sizes and strides that a kernel knows are passed to it nevertheless: once it is apart nobody can see that.
  llvm::ModulePassManager passes;
  passes.addPass(llvm::IPSCCPPass());
  passes.addPass(llvm::DeadArgumentEliminationPass());
  Passes(machine->get()).run(*module, std::move(passes));
  auto objects = compileParts(split(*module, choosePartition(*module, threads)), optLevel, threads);
  return objects ? writeArchive(*objects) : objects.takeError();
}
