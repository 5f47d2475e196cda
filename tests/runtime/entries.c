/* Native entries for the tests of the runtime, written by hand against abi.h. */

#include "runtime/abi.h"

#include <string.h>

#define DECLARE(NAME) static __typeof__(&NAME) p_##NAME;
JANUS_ABI_FUNCTIONS(DECLARE)

/* The addresses, in the order of JANUS_ABI_FUNCTIONS. */
void bind_runtime(void **addresses) {
#define BIND(NAME) p_##NAME = (__typeof__(&NAME))*addresses++;
  JANUS_ABI_FUNCTIONS(BIND)
}

enum { BEGIN, I64, F64, ALLOC, OWNED, COPY, SCRATCH, STATUS };

/*
 * Does what a script of int64 words says, so that tests can write any journal:
 *   BEGIN site | I64 value | F64 bits | ALLOC dtype rank dims... source bytes
 *   OWNED number | COPY dtype rank dims... source | SCRATCH bytes | STATUS status
 */
int32_t run_script(const int64_t *slots, JanusCall *call) {
  const int64_t *word = (const int64_t *)slots[0];
  void *owned[64];
  int owned_count = 0;
  for (;;) {
    switch (*word++) {
    case BEGIN:
      p_janus_rt_begin_record(call, (int32_t)*word++);
      break;
    case I64:
      p_janus_rt_push_i64(call, *word++);
      break;
    case F64: {
      double value;
      memcpy(&value, word++, sizeof value);
      p_janus_rt_push_f64(call, value);
      break;
    }
    case ALLOC: {
      int32_t dtype = (int32_t)word[0], rank = (int32_t)word[1];
      void *memory = p_janus_rt_alloc(call, dtype, rank, word + 2);
      word += 2 + rank;
      if (!memory)
        return JANUS_ABANDONED;
      if ((int64_t)memory % 64)
        return 1000;
      memcpy(memory, (void *)word[0], (size_t)word[1]);
      word += 2;
      owned[owned_count++] = memory;
      break;
    }
    case OWNED:
      p_janus_rt_push_owned(call, owned[*word++]);
      break;
    case COPY: {
      int32_t dtype = (int32_t)word[0], rank = (int32_t)word[1];
      p_janus_rt_push_copy(call, dtype, rank, word + 2, (void *)word[2 + rank]);
      word += 3 + rank;
      break;
    }
    case SCRATCH: {
      int64_t bytes = *word++;
      char *memory = p_janus_rt_scratch(call, bytes);
      if (!memory)
        return JANUS_ABANDONED;
      if ((int64_t)memory % 64)
        return 1000;
      memset(memory, 0x5a, (size_t)bytes);
      break;
    }
    case STATUS:
      return (int32_t)*word;
    }
  }
}

/* Site 0 returns all slots as ints: (count, slots...) is in the first slot's place. */
int32_t show_slots(const int64_t *slots, JanusCall *call) {
  p_janus_rt_begin_record(call, 0);
  for (int64_t index = 1; index <= slots[0]; ++index)
    p_janus_rt_push_i64(call, slots[index]);
  return JANUS_RETURNED;
}

/* f32 vector of n (dynamic): its double at site 0. Slots: pointer, n. */
int32_t twice(const int64_t *slots, JanusCall *call) {
  const float *x = (const float *)slots[0];
  int64_t n = slots[1];
  float *out = p_janus_rt_alloc(call, JANUS_F32, 1, &n);
  if (!out)
    return JANUS_ABANDONED;
  for (int64_t i = 0; i < n; ++i)
    out[i] = x[i] + x[i];
  p_janus_rt_begin_record(call, 0);
  p_janus_rt_push_owned(call, out);
  return JANUS_RETURNED;
}

/* Sum of four f32 vectors of 8 at site 0. */
int32_t add4(const int64_t *slots, JanusCall *call) {
  const int64_t n = 8;
  const float *a = (const float *)slots[0], *b = (const float *)slots[1];
  const float *c = (const float *)slots[2], *d = (const float *)slots[3];
  float *out = p_janus_rt_alloc(call, JANUS_F32, 1, &n);
  if (!out)
    return JANUS_ABANDONED;
  for (int64_t i = 0; i < n; ++i)
    out[i] = a[i] + b[i] + c[i] + d[i];
  p_janus_rt_begin_record(call, 0);
  p_janus_rt_push_owned(call, out);
  return JANUS_RETURNED;
}

/* n (int): returns it at site 0 when below 1, else leaves at exit site 1 with n - 1. */
int32_t countdown(const int64_t *slots, JanusCall *call) {
  int64_t n = slots[0];
  p_janus_rt_begin_record(call, n < 1 ? 0 : 1);
  p_janus_rt_push_i64(call, n < 1 ? n : n - 1);
  return n < 1 ? JANUS_RETURNED : 2;
}

/* Two pointers: the u16 at each, at site 0. */
int32_t peek2(const int64_t *slots, JanusCall *call) {
  p_janus_rt_begin_record(call, 0);
  p_janus_rt_push_i64(call, *(const uint16_t *)slots[0]);
  p_janus_rt_push_i64(call, *(const uint16_t *)slots[1]);
  return JANUS_RETURNED;
}
