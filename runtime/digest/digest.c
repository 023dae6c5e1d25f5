/*
 * digest.c - see digest.h.
 */
#include "digest.h"
#include <nettle/memops.h>

void digest_begin(struct digest *digest, const uint8_t key[DIGEST_SIZE])
{
	hmac_sha256_set_key(&digest->hmac, DIGEST_SIZE, key);
}

void digest_add(struct digest *digest, const void *bytes, size_t size)
{
	hmac_sha256_update(&digest->hmac, size, bytes);
}

void digest_end(struct digest *digest, uint8_t root[DIGEST_SIZE])
{
	hmac_sha256_digest(&digest->hmac, DIGEST_SIZE, root);
}

void digest_address(const uint8_t root[DIGEST_SIZE], uint8_t address[DIGEST_SIZE])
{
	static const char label[] = "address";
	struct digest digest;

	digest_begin(&digest, root);
	digest_add(&digest, label, sizeof(label) - 1);
	digest_end(&digest, address);
}

void digest_proof(const uint8_t root[DIGEST_SIZE], const uint8_t nonce[DIGEST_SIZE],
		  uint8_t proof[DIGEST_SIZE])
{
	static const char label[] = "proof";
	struct digest digest;

	digest_begin(&digest, root);
	digest_add(&digest, label, sizeof(label) - 1);
	digest_add(&digest, nonce, DIGEST_SIZE);
	digest_end(&digest, proof);
}

bool digest_equal(const uint8_t a[DIGEST_SIZE], const uint8_t b[DIGEST_SIZE])
{
	return memeql_sec(a, b, DIGEST_SIZE);
}
