<?php
// Seats API: gives a seat another tag, makes it premium, and prints its id.
// Needs HEADCOUNT_API (base address), HEADCOUNT_SEATS_API_KEY, HEADCOUNT_ACCOUNT_ID and HEADCOUNT_TAG, PHP 8 and Guzzle 7:
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

$response = $client->post('/accounts/update-info', [
    'http_errors' => false,
    'headers' => [
        'Authorization' => 'Bearer ' . getenv('HEADCOUNT_SEATS_API_KEY'),
        // One key per intent: however often the request is sent, it has one answer.
        'Idempotency-Key' => bin2hex(random_bytes(16)),
    ],
    'json' => ['updates' => [[
        'accountId' => getenv('HEADCOUNT_ACCOUNT_ID'),
        'tag' => getenv('HEADCOUNT_TAG'),
        'tier' => 'premium',
    ]]],
]);
$body = json_decode((string) $response->getBody(), true);
if ($response->getStatusCode() !== 200) {
    fprintf(STDERR, "%d %s: %s\n", $response->getStatusCode(), $body['error'] ?? '', $body['message']);
    foreach ($body['errors'] ?? [] as $fault) {
        fprintf(STDERR, "  %s: %s\n", $fault['field'], $fault['message']);
    }
    exit(1);
}
// Each update is done or refused by itself.
foreach ($body['data']['results'] as $result) {
    if ($result['success']) {
        echo $result['accountId'], "\n";
        continue;
    }
    fprintf(STDERR, "%s %s\n", $result['accountId'], $result['error']);
    foreach ($result['errors'] as $fault) {
        fprintf(STDERR, "  %s: %s\n", $fault['field'], $fault['message']);
    }
}
exit($body['data']['failed'] === 0 ? 0 : 1);
