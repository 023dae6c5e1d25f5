/*
 * torch_bridge.cc - libtorch behind a table of C functions; the one C++ file of the project.
 *
 * A module belongs to whoever loaded it, a result to whoever ran it. All functions but start()
 * may be called from any thread at once. What is loaded is a stranger's: see inspect() for what a
 * model may not do. Nothing can bound the time or memory that a model's forward() takes.
 */
#include "torch_bridge.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <caffe2/serialize/read_adapter_interface.h>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/serialization/import.h>
#include <vector>

/* Of the OpenMP runtime that libtorch is linked with; <omp.h> is not there for every compiler. */
extern "C" void omp_set_num_threads(int threads);

namespace jit = torch::jit;

struct bridge_module {
	jit::Module module;
	std::string extra[BRIDGE_EXTRA_MAX];
	bool has_extra[BRIDGE_EXTRA_MAX] = {};
	bool changes_itself = false;
	std::mutex turn; /* for a module that does */
};

struct bridge_result {
	std::vector<at::Tensor> tensors;
};

namespace
{

const char *const extra_names[BRIDGE_EXTRA_MAX] = { "luaccel/preprocess", "luaccel/labels" };

struct type_pair {
	int vaccel;
	at::ScalarType torch;
};

/* By the number of enum vaccel_torch_data_type. */
const type_pair types[] = {
	{ 1, at::kByte }, { 2, at::kChar }, { 3, at::kShort }, { 4, at::kInt },
	{ 5, at::kLong }, { 6, at::kHalf }, { 7, at::kFloat },
};

/* A refusal of ours, as opposed to libtorch's. */
struct refusal {
	std::string text;
};

/* What a person wants of libtorch's words: the error itself, without traces of either language. */
std::string first_words(const std::string &words)
{
	static const std::string mark = "RuntimeError: ";
	size_t start = words.rfind(mark);

	start = start == std::string::npos ? 0 : start + mark.size();
	return words.substr(start, words.find('\n', start) - start);
}

/* In a catch block: the code and sentence for what was thrown. */
int caught(struct fault *fault)
{
	try {
		throw;
	} catch (const refusal &e) {
		return fault_set(fault, EINVAL, "%s", e.text.c_str());
	} catch (const std::bad_alloc &) {
		return fault_set(fault, ENOMEM, "fails for lack of memory");
	} catch (const c10::Error &e) {
		return fault_set(fault, EINVAL, "fails: %s",
				 first_words(e.what_without_backtrace()).c_str());
	} catch (const std::exception &e) {
		return fault_set(fault, EINVAL, "fails: %s", first_words(e.what()).c_str());
	} catch (...) {
		return fault_set(fault, EINVAL, "fails without words");
	}
}

/* The archive in memory. libtorch takes offsets from the archive itself, so they are checked. */
class MemoryReader final : public caffe2::serialize::ReadAdapterInterface
{
      public:
	MemoryReader(const void *bytes, size_t size)
	    : bytes_(static_cast<const char *>(bytes)), size_(size)
	{
	}

	size_t size() const override
	{
		return size_;
	}

	size_t read(uint64_t at, void *to, size_t n, const char *) const override
	{
		if (at > size_ || n > size_ - at)
			throw refusal{ "is not TorchScript: its archive points beyond its end" };
		memcpy(to, bytes_ + at, n);
		return n;
	}

      private:
	const char *bytes_;
	size_t size_;
};

/* Call `visit` for each operation in the block, and in the blocks and graphs inside. */
template <typename Visit> void each_node(jit::Block *block, const Visit &visit)
{
	for (jit::Node *node : block->nodes()) {
		visit(node);
		for (jit::Block *inner : node->blocks())
			each_node(inner, visit);
		if (node->hasAttribute(jit::attr::Subgraph))
			each_node(node->g(jit::attr::Subgraph)->block(), visit);
	}
}

/*
 * TorchScript can read and write files by name, which a model that somebody sends must not; and it
 * can print and warn, which is not for the output of whoever runs it.
 */
void inspect(const jit::Module &module)
{
	static const auto save = c10::Symbol::fromQualString("aten::save");
	static const auto from_file = c10::Symbol::fromQualString("aten::from_file");
	std::vector<jit::Node *> talk;

	for (jit::Function *function : module._ivalue()->compilation_unit()->get_functions()) {
		auto *code = jit::tryToGraphFunction(*function);

		if (!code)
			continue;
		each_node(code->graph()->block(), [&talk](jit::Node *node) {
			if (node->kind() == save || node->kind() == from_file)
				throw refusal{ std::string("uses ") + node->kind().toQualString() +
					       ", which opens files; this is not allowed" };
			if (node->kind() == c10::prim::Print || node->kind() == c10::aten::warn)
				talk.push_back(node);
		});
	}
	for (jit::Node *node : talk)
		node->destroy();
}

/* Whether forward() writes to the module, which two threads must not do at once. */
bool changes_itself(const jit::Method &forward)
{
	auto graph = forward.graph()->copy();
	bool changes = false;

	jit::Inline(*graph);
	jit::AliasDb aliases(graph);
	each_node(graph->block(), [&](jit::Node *node) {
		switch (node->kind()) {
		case c10::prim::SetAttr:
		case c10::prim::CallMethod: /* what it calls is not known before it runs */
		case c10::prim::CallFunction:
		case c10::prim::fork:
			changes = true;
			break;
		case c10::prim::GetAttr:
			changes = changes || aliases.hasWriters(node->output());
			break;
		default:
			break;
		}
	});
	return changes;
}

/*
 * A zip archive ends with a directory's end: 22 bytes, and a comment of the length that the last
 * two of them say. libtorch would find out as well, but loses memory over it.
 */
bool ends_as_archive(const unsigned char *bytes, size_t size)
{
	const size_t end = 22, longest = 65535;

	for (size_t from_end = end; from_end <= size && from_end <= end + longest; from_end++) {
		const unsigned char *at = bytes + size - from_end;

		if (!memcmp(at, "PK\5\6", 4))
			return end + at[20] + at[21] * size_t{ 256 } <= from_end;
	}
	return false;
}

jit::Module load_archive(const void *bytes, size_t size, jit::ExtraFilesMap &extra)
{
	if (!ends_as_archive(static_cast<const unsigned char *>(bytes), size))
		throw refusal{ "is not TorchScript: it is no zip archive, or is cut short" };
	try {
		return jit::load(std::make_shared<MemoryReader>(bytes, size), c10::kCPU, extra);
	} catch (const c10::Error &e) {
		throw refusal{ "is not TorchScript: " + first_words(e.what_without_backtrace()) };
	}
}

at::Tensor to_torch(const struct bridge_tensor &tensor)
{
	for (const type_pair &type : types) {
		if (type.vaccel == tensor.type)
			return at::from_blob(const_cast<void *>(tensor.data),
					     at::IntArrayRef(tensor.dims, tensor.nr_dims),
					     at::TensorOptions(type.torch))
				.clone();
	}
	throw refusal{ "is given a tensor of data type " + std::to_string(tensor.type) +
		       ", which is none of vAccel's" };
}

int to_vaccel(at::ScalarType torch)
{
	for (const type_pair &type : types) {
		if (type.torch == torch)
			return type.vaccel;
	}
	throw refusal{ std::string("gives a tensor of ") + c10::toString(torch) +
		       ", for which vAccel has no data type" };
}

void add_output(const at::Tensor &tensor, std::vector<at::Tensor> &outputs)
{
	if (!tensor.defined() || tensor.layout() != at::kStrided || tensor.is_quantized())
		throw refusal{ "gives a tensor that is not dense" };
	to_vaccel(tensor.scalar_type());
	outputs.push_back(tensor.cpu().contiguous());
}

void collect(const c10::IValue &value, std::vector<at::Tensor> &outputs)
{
	if (value.isTensor()) {
		add_output(value.toTensor(), outputs);
	} else if (value.isTensorList()) {
		for (const at::Tensor &tensor : value.toTensorVector())
			add_output(tensor, outputs);
	} else if (value.isTuple()) {
		for (const c10::IValue &element : value.toTupleRef().elements()) {
			if (!element.isTensor())
				throw refusal{ "gives a tuple of " + element.tagKind() +
					       ", not of tensors" };
			add_output(element.toTensor(), outputs);
		}
	} else {
		throw refusal{ "gives " + value.tagKind() +
			       ", not a tensor, nor a tuple or list of tensors" };
	}
}

int threads = 1;

/*
 * Not at::set_num_threads(): that makes a new pool of spinning threads for another library each
 * time that a new thread of ours comes along, 10 ms of CPU each.
 */
int bridge_start(int wanted, struct fault *fault)
{
	try {
		threads = wanted;
		at::set_num_interop_threads(1);
		return 0;
	} catch (...) {
		return caught(fault);
	}
}

int bridge_load(const void *bytes, size_t size, struct bridge_module **module, struct fault *fault)
{
	try {
		auto loaded = std::make_unique<bridge_module>();
		jit::ExtraFilesMap extra;

		/* libtorch leaves alone what the archive lacks: no file has one NUL. */
		for (const char *name : extra_names)
			extra[name] = std::string(1, '\0');
		loaded->module = load_archive(bytes, size, extra);
		loaded->module.eval();
		for (int i = 0; i < BRIDGE_EXTRA_MAX; i++) {
			std::string &text = extra[extra_names[i]];

			loaded->has_extra[i] = text != std::string(1, '\0');
			loaded->extra[i] = std::move(text);
		}
		if (!loaded->module.find_method("forward"))
			throw refusal{ "has no forward()" };
		inspect(loaded->module);
		loaded->changes_itself = changes_itself(loaded->module.get_method("forward"));
		*module = loaded.release();
		return 0;
	} catch (...) {
		return caught(fault);
	}
}

void bridge_unload(struct bridge_module *module)
{
	delete module;
}

const char *bridge_extra_file(const struct bridge_module *module, enum bridge_extra extra,
			      size_t *size)
{
	*size = module->extra[extra].size();
	return module->has_extra[extra] ? module->extra[extra].data() : nullptr;
}

int bridge_run(struct bridge_module *module, const struct bridge_tensor *in, size_t nr_in,
	       struct bridge_result **result, struct fault *fault)
{
	c10::InferenceMode no_gradients;

	try {
		auto outputs = std::make_unique<bridge_result>();
		std::unique_lock<std::mutex> turn(module->turn, std::defer_lock);
		std::vector<c10::IValue> inputs;

		omp_set_num_threads(
			threads); /* of whatever this thread starts; it keeps no other */
		for (size_t i = 0; i < nr_in; i++)
			inputs.emplace_back(to_torch(in[i]));
		if (module->changes_itself)
			turn.lock();
		collect(module->module.get_method("forward")(std::move(inputs)), outputs->tensors);
		*result = outputs.release();
		return 0;
	} catch (...) {
		return caught(fault);
	}
}

size_t bridge_nr_outputs(const struct bridge_result *result)
{
	return result->tensors.size();
}

struct bridge_tensor bridge_output(const struct bridge_result *result, size_t index)
{
	const at::Tensor &tensor = result->tensors[index];

	return bridge_tensor{ tensor.data_ptr(), tensor.nbytes(), tensor.sizes().data(),
			      tensor.sizes().size(), to_vaccel(tensor.scalar_type()) };
}

void bridge_result_delete(struct bridge_result *result)
{
	delete result;
}

} // namespace

extern "C" __attribute__((visibility("default"))) const struct torch_bridge luaccel_torch_bridge = {
	TORCH_BRIDGE_VERSION, bridge_start,	 bridge_load,
	bridge_unload,	      bridge_extra_file, bridge_run,
	bridge_nr_outputs,    bridge_output,	 bridge_result_delete,
};
