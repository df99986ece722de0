<?php
// Agency API: creates a sub-account and prints its lcuid.
// Needs HEADCOUNT_API (base address), HEADCOUNT_AGENCY_TOKEN, HEADCOUNT_AGENCY_APP_ID (the app the token belongs to),
// HEADCOUNT_AGENCY_LCUID and HEADCOUNT_PARENT_ACCOUNT_LCUID, PHP 8 and Guzzle 7:
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

$response = $client->post('/api/v3/accounts', [
    'http_errors' => false,
    'headers' => [
        'Authorization' => 'Bearer ' . getenv('HEADCOUNT_AGENCY_TOKEN'),
        'AppIdV3' => getenv('HEADCOUNT_AGENCY_APP_ID'),
        'Accept' => 'application/json',
        // One key per intent: however often the request is sent, one account is created.
        'Idempotency-Key' => bin2hex(random_bytes(16)),
    ],
    'json' => [
        'name' => 'My New Account',
        'description' => 'My New Account Description',
        'agency_lcuid' => getenv('HEADCOUNT_AGENCY_LCUID'),
        'website' => 'https://www.mynewaccount.com',
        'parent_account_lcuid' => getenv('HEADCOUNT_PARENT_ACCOUNT_LCUID'),
    ],
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
