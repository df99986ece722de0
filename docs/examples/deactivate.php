<?php
// Seats API: gives a seat back and prints its id. Where seats end with the billing period, says when on stderr.
// With HEADCOUNT_REVOKE=true the seat stays after all.
// Needs HEADCOUNT_API (base address), HEADCOUNT_SEATS_API_KEY and HEADCOUNT_ACCOUNT_ID, PHP 8 and Guzzle 7:
// composer require guzzlehttp/guzzle, or Debian's php-guzzlehttp-guzzle.

declare(strict_types=1);

$autoloaders = [getcwd() . '/vendor/autoload.php', '/usr/share/php/GuzzleHttp/autoload.php'];
require current(array_filter($autoloaders, 'is_file'));

use GuzzleHttp\Client;
use GuzzleHttp\HandlerStack;
use GuzzleHttp\Middleware;

$busy = fn ($retries, $request, $response, $error) =>
    $retries < 3 && ($error !== null || in_array($response->getStatusCode(), [429, 503], true));
$wait = fn ($retries, $response) => 1000 * (int) ($response?->getHeaderLine('Retry-After') ?: 1);
$handler = HandlerStack::create();
$handler->push(Middleware::retry($busy, $wait));
$client = new Client(['base_uri' => getenv('HEADCOUNT_API'), 'handler' => $handler, 'timeout' => 30]);

$response = $client->post('/billing/deactivate', [
    'http_errors' => false,
    'headers' => [
        'Authorization' => 'Bearer ' . getenv('HEADCOUNT_SEATS_API_KEY'),
        // One key per intent: however often the request is sent, it has one answer.
        'Idempotency-Key' => bin2hex(random_bytes(16)),
    ],
    'json' => [
        'account_id' => getenv('HEADCOUNT_ACCOUNT_ID'),
        'revoke' => getenv('HEADCOUNT_REVOKE') === 'true',
    ],
]);
$body = json_decode((string) $response->getBody(), true);
if ($response->getStatusCode() !== 200) {
    fprintf(STDERR, "%d %s: %s\n", $response->getStatusCode(), $body['error'] ?? '', $body['message']);
    foreach ($body['errors'] ?? [] as $fault) {
        fprintf(STDERR, "  %s: %s\n", $fault['field'], $fault['message']);
    }
    exit(1);
}
echo $body['data']['account_id'], "\n";
if (isset($body['data']['ends_at'])) {
    fprintf(STDERR, "ends at %s\n", $body['data']['ends_at']);
}
