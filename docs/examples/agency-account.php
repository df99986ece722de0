<?php
// Agency API: renames an account, leaves everything else of it as it is, and prints its lcuid.
// Needs HEADCOUNT_API (base address), HEADCOUNT_AGENCY_TOKEN (with account.update), HEADCOUNT_AGENCY_APP_ID (the app the token
// belongs to), HEADCOUNT_ACCOUNT_LCUID and HEADCOUNT_ACCOUNT_NAME, PHP 8 and Guzzle 7:
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

$response = $client->put('/api/v3/accounts/' . getenv('HEADCOUNT_ACCOUNT_LCUID'), [
    'http_errors' => false,
    'headers' => [
        'Authorization' => 'Bearer ' . getenv('HEADCOUNT_AGENCY_TOKEN'),
        'AppIdV3' => getenv('HEADCOUNT_AGENCY_APP_ID'),
        // One key per intent: however often the request is sent, the account is changed once.
        'Idempotency-Key' => bin2hex(random_bytes(16)),
    ],
    'json' => ['name' => getenv('HEADCOUNT_ACCOUNT_NAME')],
]);
$body = json_decode((string) $response->getBody(), true);
if ($response->getStatusCode() !== 200) {
    fprintf(STDERR, "%d: %s\n", $response->getStatusCode(), $body['message']);
    foreach ($body['errors'] ?? [] as $field => $messages) {
        fprintf(STDERR, "  %s: %s\n", $field, implode(' ', $messages));
    }
    exit(1);
}
echo $body['account']['lcuid'], "\n";
