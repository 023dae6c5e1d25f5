/*
 * digest.h - how a peer names content that an agent may have, and proves that it holds the bytes.
 *
 *     root    = HMAC(key, bytes)               key: the agent's, random, told to every peer of ours
 *     address = HMAC(root, "address")          what the agent finds the content by
 *     proof   = HMAC(root, "proof" || nonce)   nonce: the connection's, random
 *
 * HMAC is that of SHA-256. Nobody comes to the root but by hashing the bytes under this agent's
 * key, so a digest that is public (a model's SHA-256 on the page that offers it) or was made
 * earlier is worth nothing. The root never travels: who hears an address and a proof can use the
 * proof on no other connection. Each end hashes the bytes once, and a check costs the agent two
 * blocks, whatever the content's size.
 *
 * Stateless but for the context; any thread.
 */
#ifndef LUACCEL_DIGEST_H
#define LUACCEL_DIGEST_H

#include <nettle/hmac.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_SIZE = SHA256_DIGEST_SIZE };

/* The root of bytes that come in pieces. */
struct digest {
	struct hmac_sha256_ctx hmac;
};

void digest_begin(struct digest *digest, const uint8_t key[DIGEST_SIZE]);
void digest_add(struct digest *digest, const void *bytes, size_t size);
void digest_end(struct digest *digest, uint8_t root[DIGEST_SIZE]);

void digest_address(const uint8_t root[DIGEST_SIZE], uint8_t address[DIGEST_SIZE]);
void digest_proof(const uint8_t root[DIGEST_SIZE], const uint8_t nonce[DIGEST_SIZE],
		  uint8_t proof[DIGEST_SIZE]);

/* In a time that does not tell how much of them is equal. */
bool digest_equal(const uint8_t a[DIGEST_SIZE], const uint8_t b[DIGEST_SIZE]);

#endif
