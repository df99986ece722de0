<?php
// Seats API: creates two seats and prints their ids.
// Needs HEADCOUNT_API (base address) and HEADCOUNT_SEATS_API_KEY, PHP 8 and Guzzle 7:
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

$response = $client->post('/accounts/create', [
    'http_errors' => false,
    'headers' => [
        'Authorization' => 'Bearer ' . getenv('HEADCOUNT_SEATS_API_KEY'),
        // One key per intent: however often the request is sent, the seats are created and billed once.
        'Idempotency-Key' => bin2hex(random_bytes(16)),
    ],
    'json' => [
        'accounts' => [
            ['tier' => 'basic'],
            [
                'tier' => 'premium',
                'platform' => 'tiktok',
                'username' => 'newcreator',
                'pfp_url' => 'https://example.com/avatar.jpg',
                'keywords' => 'fitness,health,workout',
                'nick_name' => 'New Creator',
                'tag' => 'influencer',
            ],
        ],
    ],
]);
$body = json_decode((string) $response->getBody(), true);
if ($response->getStatusCode() !== 200) {
    fprintf(STDERR, "%d %s: %s\n", $response->getStatusCode(), $body['error'] ?? '', $body['message']);
    foreach ($body['errors'] ?? [] as $fault) {
        fprintf(STDERR, "  seat %s, %s: %s\n", $fault['index'] ?? '-', $fault['field'], $fault['message']);
    }
    exit(1);
}
foreach ($body['data']['accounts'] as $account) {
    echo $account['id'], "\n";
}
